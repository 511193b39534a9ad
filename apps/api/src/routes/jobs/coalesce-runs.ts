/**
 * Runs `run` one at a time: asked while it runs, it runs once more afterwards, however often it was asked. The
 * promise is of the runs this call began; it rejects with their error, and the next call begins anew.
 */
export function coalesceRuns(run: () => Promise<void>): () => Promise<void> {
  let running = false;
  let again = false;
  return async () => {
    again = true;
    if (running) return;
    running = true;
    try {
      while (again) {
        again = false;
        await run();
      }
    } finally {
      running = false;
    }
  };
}
