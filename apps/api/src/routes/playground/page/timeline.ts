import type { JobView } from "@forebay/client";

/** One line of a job's history; `at` in milliseconds since 1970. */
export type TimelineLine = { at: number; text: string };

/** Where a job has been and which tries failed, oldest first. */
export function timelineOf(job: JobView): TimelineLine[] {
  const states = job.timeline.map(({ at, state, backend }) => ({
    at: Date.parse(at),
    text: backend === undefined ? state.replace("_", " ") : `${state} on ${backend}`,
  }));
  const tries = (job.error?.attempts ?? []).map(({ at, code, message }) => ({
    at: Date.parse(at),
    text: `a try failed: ${message} (${code})`,
  }));
  return [...states, ...tries].sort((a, b) => a.at - b.at);
}

/** `0.35 s`, `12.4 s`, `3 min 05 s`; less than a hundredth is `0 s`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 0.005) return "0 s";
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
