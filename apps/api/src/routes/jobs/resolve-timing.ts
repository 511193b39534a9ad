import { Problem } from "../../http/problem.ts";

/** The fields of a body that say something about time. */
export type TimingFields = {
  readonly run_at?: string | undefined;
  readonly delay_ms?: number | undefined;
  readonly start_deadline_s?: number | undefined;
};

/** When a job may begin and must have begun; times in milliseconds. */
export type Timing = {
  /** From now; 0: at once. */ readonly delayMs: number;
  /** Since 1970, by Redis's clock. */ readonly startBy: number | undefined;
};

/** Whether a body says anything about time, so that Redis's clock is needed. */
export function hasTiming(body: Pick<TimingFields, "run_at" | "start_deadline_s">): boolean {
  return body.run_at !== undefined || body.start_deadline_s !== undefined;
}

/**
 * @param nowMs Redis's clock: workers judge by it, whatever the clocks of machines say
 * Throws Problem.
 */
export function resolveTiming(body: TimingFields, nowMs: number): Timing {
  if (body.run_at !== undefined && body.delay_ms !== undefined) {
    const message = "cannot be given together with run_at: say one of them";
    throw new Problem("invalid_body", `delay_ms ${message}.`, { errors: [{ path: "delay_ms", message }] });
  }
  const delayMs =
    body.run_at === undefined ? (body.delay_ms ?? 0) : Math.max(0, Date.parse(body.run_at) - nowMs);
  if (delayMs > delayMsMax) {
    const message = "must be within a year from now";
    throw new Problem("invalid_body", `run_at ${message}.`, { errors: [{ path: "run_at", message }] });
  }
  const deadlineS = body.start_deadline_s;
  // Counted from when it may begin: a deadline before that could not be kept.
  const startBy = deadlineS === undefined ? undefined : Math.round(nowMs + delayMs + deadlineS * 1_000);
  return { delayMs, startBy };
}

export const delayMsMax = 366 * 24 * 3_600_000;
