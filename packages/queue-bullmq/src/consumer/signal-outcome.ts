import { formatFailedReason, type InferenceResult } from "@forebay/queue-contracts";
import { DelayedError, type Job, UnrecoverableError, WaitingError } from "bullmq";
import type { Outcome } from "./outcome.ts";

/** A try that failed and counts; BullMQ asks the consumer's backoff strategy how long to wait. */
export class AttemptFailedError extends Error {
  readonly delayMs: number;
  constructor(reason: string, delayMs: number) {
    super(reason);
    this.delayMs = delayMs;
  }
}

/**
 * Says an outcome in BullMQ's words: returns the result, or throws the error that BullMQ takes as a signal.
 * This is the only place that knows which of its errors spend an attempt.
 */
export async function signalOutcome(
  job: Job,
  token: string,
  outcome: Outcome,
  queue: {
    /** Milliseconds to wait before the next try, where the outcome does not say. */
    backoffMs: () => number;
    /** Tells other consumers that a job waits. */
    wake: () => Promise<void>;
  },
): Promise<InferenceResult> {
  switch (outcome.kind) {
    case "completed":
      return outcome.result;
    case "retry":
      // Producers need not say how to wait: the consumer's strategy decides for every job.
      job.opts.backoff = { type: "forebay" };
      throw new AttemptFailedError(
        formatFailedReason(outcome.failure),
        Math.max(1, outcome.delayMs ?? queue.backoffMs()),
      );
    case "discard":
      throw new UnrecoverableError(formatFailedReason(outcome.failure));
    case "interrupted":
      await job.moveToWait(token);
      await queue.wake();
      throw new WaitingError();
    case "moved":
      // It is not on this queue any more: there is nothing left for BullMQ to do.
      throw new WaitingError();
    case "throttled":
      await job.moveToDelayed(Date.now() + outcome.delayMs, token);
      throw new DelayedError();
  }
}
