import type { Failure, StartRecord } from "@forebay/queue-contracts";
import type { Outcome } from "@forebay/queue-bullmq";
import type { Classification } from "./classification.ts";

/** A job that crashed a runner this often is not given another one. */
const crashesMax = 2;

/**
 * What becomes of a job whose call failed, from the kind of failure and the job's own history.
 *
 * @param earlier starts of this job before the failed one
 * @param random in [0, 1): spreads the retries of jobs that failed together
 */
export function decideOutcome(
  failed: Classification,
  earlier: readonly StartRecord[],
  random: number,
): Outcome {
  const failure: Failure = { code: failed.code, message: failed.message };
  const [from, to] = failed.delayMs ?? [];
  const delayMs =
    from === undefined || to === undefined ? undefined : Math.round(from + (to - from) * random);
  const before = earlier.filter((start) => start.code === failed.code).length;

  switch (failed.disposition) {
    case "discard":
      return { kind: "discard", failure };
    case "free":
      if (failed.freeMax !== undefined && before >= failed.freeMax)
        return { kind: "retry", failure, delayMs };
      return { kind: "throttled", failure, delayMs: delayMs ?? 1_000 };
    case "retry":
      if (failed.code === "runner_crashed" && before + 1 >= crashesMax) {
        const message = `crashed the model's runner ${before + 1} times; last: ${failed.message}`;
        return { kind: "discard", failure: { code: "poison_job", message } };
      }
      if (failed.retriesMax !== undefined && before >= failed.retriesMax) return { kind: "discard", failure };
      return { kind: "retry", failure, delayMs };
  }
}
