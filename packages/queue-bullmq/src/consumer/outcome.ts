import type { Failure, InferenceJob, InferenceResult } from "@forebay/queue-contracts";

/**
 * How one start of a job ended.
 *
 * - `completed`: the result is recorded.
 * - `retry`: an attempt is spent; the job runs again after `delayMs` (default: the policy's backoff) while it
 *   has attempts left, and fails otherwise.
 * - `discard`: the job fails now: trying again cannot help.
 * - `interrupted`: not the job's fault, put back to the front at once; no attempt is spent.
 * - `moved`: it failed for good with its model, and goes on as `job`, with another, on that one's queue.
 * - `throttled`: not the job's fault, put back for `delayMs`; no attempt is spent.
 */
export type Outcome =
  | { kind: "completed"; result: InferenceResult }
  | { kind: "retry"; failure: Failure; delayMs?: number | undefined }
  | { kind: "discard"; failure: Failure }
  | { kind: "interrupted"; failure?: Failure | undefined }
  | { kind: "moved"; failure: Failure; job: InferenceJob; queueName: string }
  | { kind: "throttled"; failure: Failure; delayMs: number };
