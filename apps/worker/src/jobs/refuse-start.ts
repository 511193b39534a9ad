import type { Failure, FailureCode, InferenceJob } from "@forebay/queue-contracts";
import type { Delivery, Outcome } from "@forebay/queue-bullmq";

/** Milliseconds the job may still run, by Redis's clock; undefined: no limit. */
export function remainingMs(job: InferenceJob, delivery: Delivery): number | undefined {
  if (job.timeout_s === undefined) return undefined;
  const firstAt = delivery.earlierStarts[0]?.at;
  const firstMs = firstAt === undefined ? delivery.startedAt.getTime() : Date.parse(firstAt);
  return firstMs + job.timeout_s * 1_000 - delivery.startedAt.getTime();
}

/** The outcome of a job that must not be sent to a backend any more, or undefined. */
export function refuseStart(job: InferenceJob, delivery: Delivery): Outcome | undefined {
  if (delivery.signal.aborted) return stoppedOutcome(delivery.signal.reason);
  const begunBefore = delivery.earlierStarts.length > 0 || delivery.putBack;
  if (!begunBefore && job.start_by !== undefined && delivery.startedAt.getTime() > job.start_by) {
    return discard("expired", "its start deadline passed before it could begin");
  }
  const left = remainingMs(job, delivery);
  return left !== undefined && left <= 0 ? stoppedOutcome("timed_out") : undefined;
}

/** What becomes of a job that was stopped, by why it was (an AbortReason). */
export function stoppedOutcome(reason: unknown): Outcome {
  switch (reason) {
    case "cancelled":
      return discard("cancelled", "cancelled on request");
    case "timed_out":
      return discard("timed_out", "it ran longer than its timeout_s");
    default:
      // The worker stops, or has lost the job; in the latter case the consumer writes nothing.
      return { kind: "interrupted" };
  }
}

function discard(code: FailureCode, message: string): Outcome {
  return { kind: "discard", failure: { code, message } satisfies Failure };
}
