/** Calls `runOnce` again and again, `intervalMs` after it ended; errors are reported and end nothing. */
export function startLoop(
  runOnce: () => Promise<unknown>,
  intervalMs: number,
  onError: (error: unknown) => void,
): AsyncDisposable {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let underway: Promise<void> = Promise.resolve();
  const run = (): void => {
    underway = runOnce()
      .catch(onError)
      .then(() => {
        if (!stopped) timer = setTimeout(run, intervalMs);
      });
  };
  run();
  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      clearTimeout(timer);
      await underway;
    },
  };
}
