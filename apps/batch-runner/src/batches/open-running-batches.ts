import { BatchLostError, openBatchConsumer, watchBatches } from "@forebay/queue-bullmq";
import { hostname } from "node:os";
import type { BatchRunnerConfig } from "../config.ts";
import type { BatchDeps } from "./batch-deps.ts";
import { runBatch } from "./run-batch.ts";

/** Takes batches from their queue and runs them. Disposing leaves them to others, or to the next start. */
export async function openRunningBatches(
  deps: BatchDeps,
  config: BatchRunnerConfig,
): Promise<AsyncDisposable> {
  const { space, events } = deps;
  await using opened = new AsyncDisposableStack();
  const listeners = new Map<string, Set<() => void>>();
  const onChange = (id: string) => (listener: () => void) => {
    const own = listeners.get(id) ?? new Set();
    listeners.set(id, own.add(listener));
    return () => {
      own.delete(listener);
      if (own.size === 0) listeners.delete(id);
    };
  };
  opened.use(
    await watchBatches(space, (id) => {
      for (const listener of listeners.get(id) ?? []) listener();
    }),
  );

  // A Redis that was killed may have lost its last second, and with it what is remembered here.
  let connection = new AbortController();
  const onReady = (): void => {
    connection.abort(new BatchLostError("the connection to Redis was lost"));
    connection = new AbortController();
  };
  space.client.on("ready", onReady);
  opened.defer(() => void space.client.off("ready", onReady));

  opened.use(
    openBatchConsumer(space, {
      name: `${hostname()}-${process.pid}`,
      concurrency: config.concurrency,
      lockMs: config.lockMs,
      stalledCheckMs: config.stalledCheckMs,
      handle: (id, signal) => runBatch(deps, id, AbortSignal.any([signal, connection.signal]), onChange(id)),
      on: { failed: events.runFailed, error: events.consumerFailed },
    }),
  );
  return opened.move();
}
