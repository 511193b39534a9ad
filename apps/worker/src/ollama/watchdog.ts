import type { CallFailure } from "./call-failure.ts";

/** Ends a call that has fallen silent. Every `alive` starts the wait anew. */
export type Watchdog = {
  readonly signal: AbortSignal;
  alive(): void;
  stop(): void;
};

/**
 * @param within its signal is aborted with this one as well
 * @param firstByteMs silence allowed before the first byte: loading, waiting and reading the prompt are silent
 * @param betweenMs silence allowed after it
 */
export function startWatchdog(within: AbortSignal, firstByteMs: number, betweenMs: number): Watchdog {
  const abort = new AbortController();
  // By hand: AbortSignal.any costs several times as much, with every call.
  const follow = (): void => abort.abort(within.reason);
  if (within.aborted) follow();
  else within.addEventListener("abort", follow, { once: true });
  const bite = (failure: CallFailure): void => abort.abort(failure);
  let timer = setTimeout(
    () => bite({ kind: "silence", phase: "first_byte", limitMs: firstByteMs }),
    firstByteMs,
  );
  let begun = false;
  return {
    signal: abort.signal,
    alive() {
      if (begun) {
        timer.refresh();
        return;
      }
      begun = true;
      clearTimeout(timer);
      timer = setTimeout(
        () => bite({ kind: "silence", phase: "between_tokens", limitMs: betweenMs }),
        betweenMs,
      );
    },
    stop() {
      clearTimeout(timer);
      within.removeEventListener("abort", follow);
    },
  };
}
