import type { CallFailure } from "./call-failure.ts";

/** Ends a call that has fallen silent. Every `alive` starts the wait anew. */
export type Watchdog = {
  readonly signal: AbortSignal;
  alive(): void;
  stop(): void;
};

/**
 * @param firstByteMs silence allowed before the first byte: loading, waiting and reading the prompt are silent
 * @param betweenMs silence allowed after it
 */
export function startWatchdog(firstByteMs: number, betweenMs: number): Watchdog {
  const abort = new AbortController();
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
    stop: () => clearTimeout(timer),
  };
}
