import type { BlobStore } from "@forebay/blob-store";
import type { BatchStore, FileStore, LiveHub, QueueDirectory, QueueSpace } from "@forebay/queue-bullmq";
import type { DeliveryPolicy } from "@forebay/queue-contracts";
import type { RunnerEvents } from "../events.ts";
import type { InFlightLimit } from "./in-flight-limit.ts";
import type { SystemRoom } from "./system-room.ts";

type BatchLimits = {
  /** Of one batch. */
  readonly linesInFlightMax: number;
  readonly linesMax: number;
  readonly lineBytesMax: number;
  /** Open jobs a tenant may have whose key says nothing else. */
  readonly tenantJobsOpenMax: number;
  /** Tokens a tenant may use in a day whose key says nothing else; undefined: as many as it likes. */
  readonly tenantTokensPerDay: number | undefined;
  /** Results are written together: as many as come in so many milliseconds. */
  readonly flushMs: number;
  readonly retentionS: number;
};

export type BatchDeps = {
  readonly space: QueueSpace;
  readonly directory: QueueDirectory;
  readonly hub: LiveHub;
  readonly files: FileStore;
  readonly batches: BatchStore;
  readonly blobs: BlobStore;
  readonly policy: DeliveryPolicy;
  readonly limits: BatchLimits;
  readonly inFlight: InFlightLimit;
  readonly room: SystemRoom;
  readonly events: RunnerEvents;
};
