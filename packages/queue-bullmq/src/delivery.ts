import { type InferenceResult, inferenceResultSchema, type StartRecord } from "@forebay/queue-contracts";
import type { Job } from "bullmq";
import { appendFenced } from "./fenced-record.ts";
import { parseJson } from "./job-record.ts";
import type { Redis } from "./open-redis.ts";
import type { Outcome } from "./outcome.ts";
import { parseStarts } from "./starts.ts";

/** Why a delivery's signal was aborted. */
export type AbortReason = "lock_lost" | "shutdown";

/** One start of one job, handed to the handler. */
export type Delivery = {
  readonly id: string;
  /** Unparsed: the handler parses it. */
  readonly payload: unknown;
  readonly createdAt: Date;
  readonly attemptsMade: number;
  readonly attemptsMax: number;
  /** Starts before this one, since the job was last put back by hand. */
  readonly earlierStarts: readonly StartRecord[];
  /** The answer an earlier start finished but did not live to record. */
  readonly kept: InferenceResult | undefined;
  /** Aborted, with an AbortReason, when the work is to end now. */
  readonly signal: AbortSignal;
  /** Notes which backend works on it. Throws LockLostError. */
  recordBackend(backend: string): Promise<void>;
  /** Tokens so far; shown in the job's view. */
  reportProgress(tokens: number): Promise<void>;
};

export type DeliveryRecord = Delivery & {
  /** Writes how the start ended, and keeps a finished answer, before BullMQ is told. Throws LockLostError. */
  recordEnd(outcome: Outcome, gpuMs: number): Promise<void>;
};

/** Opens the record of this start and reads what earlier ones left. Throws LockLostError. */
export async function openDelivery(
  client: Redis,
  job: Job,
  place: { key: string; token: string; worker: string; signal: AbortSignal },
): Promise<DeliveryRecord> {
  const id = String(job.id);
  const fence = { id, key: place.key, token: place.token };
  const at = new Date().toISOString();
  const opened = await appendFenced(client, fence, [{ start: { at, worker: place.worker } }]);
  return {
    id,
    payload: job.data as unknown,
    createdAt: new Date(job.timestamp),
    attemptsMade: job.attemptsMade,
    attemptsMax: Math.max(1, job.opts.attempts ?? 1),
    earlierStarts: parseStarts(opened.starts).sinceFresh.slice(0, -1),
    kept: inferenceResultSchema.safeParse(parseJson(opened.kept)).data,
    signal: place.signal,
    async recordBackend(backend) {
      await appendFenced(client, fence, [{ backend }]);
    },
    async reportProgress(tokens) {
      if (!place.signal.aborted) await job.updateProgress({ tokens });
    },
    async recordEnd(outcome, gpuMs) {
      const failure = "failure" in outcome ? outcome.failure : undefined;
      const end = { ended_at: new Date().toISOString(), outcome: outcome.kind, gpu_ms: gpuMs, ...failure };
      const keep = outcome.kind === "completed" ? JSON.stringify(outcome.result) : "";
      await appendFenced(client, fence, [{ end }], keep);
    },
  };
}
