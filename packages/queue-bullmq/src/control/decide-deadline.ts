import { isFinalState } from "@forebay/queue-contracts";
import type { JobRecord } from "../jobs/job-record.ts";

export type DeadlineDecision =
  | { kind: "end"; as: "expired" | "timed_out" | "cancelled" }
  | { kind: "wait"; untilMs: number }
  /** It has no deadline (any more). */
  | { kind: "forget" };

/** What the clock says about a job. `nowMs` and all times are Redis's. */
export function decideDeadline(
  job: Pick<JobRecord, "state" | "job" | "stop" | "sinceFresh" | "putBack">,
  nowMs: number,
): DeadlineDecision {
  if (isFinalState(job.state)) return { kind: "forget" };
  if (job.stop !== undefined) return { kind: "end", as: job.stop };

  const firstStart = job.sinceFresh[0];
  const startBy = firstStart || job.putBack ? undefined : job.job?.start_by;
  if (startBy !== undefined) {
    return nowMs >= startBy ? { kind: "end", as: "expired" } : { kind: "wait", untilMs: startBy };
  }
  const timeoutS = job.job?.timeout_s;
  if (firstStart && timeoutS !== undefined) {
    const untilMs = Date.parse(firstStart.at) + timeoutS * 1_000;
    return nowMs >= untilMs ? { kind: "end", as: "timed_out" } : { kind: "wait", untilMs };
  }
  return { kind: "forget" };
}
