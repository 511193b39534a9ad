import type { LiveHub, QueueDirectory, QueueSpace } from "@forebay/queue-bullmq";
import type { DeliveryPolicy } from "@forebay/queue-contracts";
import type { LaneWeights } from "@forebay/scheduling";
import type { Admission } from "../../admission/admission.ts";
import type { Forecasts } from "../../admission/forecasts.ts";
import type { KnownModels } from "../../admission/known-models.ts";
import type { ApiEvents } from "../../events.ts";
import type { BodyLimits } from "../../http/read-json-body.ts";
import type { PlaceTeller } from "./events/place-teller.ts";
import type { SseConnections } from "./events/sse-connections.ts";
import type { JobDefaults } from "./resolve-job.ts";

export type JobDeps = {
  readonly space: QueueSpace;
  readonly directory: QueueDirectory;
  /** Tells what happens to jobs, as it happens. */
  readonly hub: LiveHub;
  readonly streams: SseConnections;
  readonly places: PlaceTeller;
  readonly models: KnownModels;
  readonly admission: Admission;
  readonly forecasts: Forecasts;
  readonly laneWeights: LaneWeights;
  readonly policy: DeliveryPolicy;
  readonly jobs: JobDefaults;
  /** Calls of foreign surfaces. */
  readonly calls: {
    /** How long the job of an SDK's call is kept for its next try. */ readonly retryGraceMs: number;
    /** How long an answer that is not streamed may be silent; undefined: for ever. */
    readonly silenceMs: number | undefined;
  };
  /** Whether admins may change the models of the hosts. */ readonly modelChanges: boolean;
  readonly body: BodyLimits;
  readonly events: ApiEvents;
};
