import type { AbortReason } from "@forebay/queue-bullmq";

/** setTimeout's longest wait; longer ones would fire at once. */
const timerMsMax = 2 ** 31 - 1;

/** Aborts its signal with `timed_out` after `ms`. */
export function startJobTimer(ms: number): { signal: AbortSignal; stop(): void } {
  const abort = new AbortController();
  const timer = setTimeout(
    () => abort.abort("timed_out" satisfies AbortReason),
    Math.min(Math.max(0, ms), timerMsMax),
  );
  return { signal: abort.signal, stop: () => clearTimeout(timer) };
}
