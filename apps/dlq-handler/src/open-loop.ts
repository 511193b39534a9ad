export type Loop = AsyncDisposable & {
  /** Run again now, or right after the run that is under way. */
  poke(): void;
};

/** Two runs are never closer than this, however often the loop is poked. Milliseconds. */
const gapMs = 100;
/** A run that hangs on an absent Redis must not keep the process from ending. Milliseconds. */
const stopWithinMs = 3_000;

/** Calls `run` at once, and again `intervalMs` after it ended. A run that throws is told to `onError`. */
export function openLoop(
  run: (signal: AbortSignal) => Promise<void>,
  intervalMs: number,
  onError: (error: unknown) => void,
): Loop {
  const stopping = new AbortController();
  const { signal } = stopping;
  let timer: NodeJS.Timeout | undefined;
  let underway: Promise<void> | undefined;
  let poked = false;

  const begin = (): void => {
    clearTimeout(timer);
    poked = false;
    underway = run(signal)
      .catch((error: unknown) => {
        if (!signal.aborted) onError(error);
      })
      .then(() => {
        underway = undefined;
        if (!signal.aborted) timer = setTimeout(begin, poked ? gapMs : intervalMs);
      });
  };
  begin();

  return {
    poke() {
      if (poked || signal.aborted) return;
      poked = true;
      if (underway) return;
      clearTimeout(timer);
      timer = setTimeout(begin, gapMs);
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      clearTimeout(timer);
      const late = Promise.withResolvers<void>();
      const giveUp = setTimeout(late.resolve, stopWithinMs);
      await Promise.race([underway, late.promise]);
      clearTimeout(giveUp);
    },
  };
}
