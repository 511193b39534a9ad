import { type QueueSpace, watchQueueDirectory } from "@forebay/queue-bullmq";

/** Calls `sync` when a queue joined the directory, and every `intervalMs`, since such news can be lost. */
export async function watchQueues(
  space: QueueSpace,
  sync: () => Promise<void>,
  options: { intervalMs: number; onError: (error: unknown) => void },
): Promise<AsyncDisposable> {
  let running: Promise<void> = sync();
  await running;
  const run = (): void => {
    running = running.then(sync).catch(options.onError);
  };
  const timer = setInterval(run, options.intervalMs);
  const watch = await watchQueueDirectory(space, run);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await watch[Symbol.asyncDispose]();
      await running;
    },
  };
}
