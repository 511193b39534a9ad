import type { Schedule } from "./schedule.ts";

/** A run this late was missed. Ticks come within milliseconds while everything is up. Milliseconds. */
export const missedAfterMs = 60_000;

/** Whether a tick starts a run. A schedule that is gone or paused has ticks under way for a moment. */
export function decideTick(
  schedule: Pick<Schedule, "paused" | "missed"> | undefined,
  dueAt: Date,
  now: Date,
): "start" | "skip" | "ignore" {
  if (!schedule || schedule.paused) return "ignore";
  const late = now.getTime() - dueAt.getTime() > missedAfterMs;
  return late && schedule.missed === "skip" ? "skip" : "start";
}
