import { closeRedis, openQueueSpace, openRedis, type QueueSpace, waitForRedis } from "@forebay/queue-bullmq";
import { startBenchRedis } from "../systems/start-bench-redis.ts";

/** A Redis of its own with nothing in it, for as long as `work` takes. */
export async function withBenchSpace<T>(work: (space: QueueSpace) => Promise<T>): Promise<T> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startBenchRedis());
  const client = openRedis({ url: redis.url, prefix: "bench" }, "consumer", "bench", () => undefined);
  stack.defer(() => closeRedis(client));
  await waitForRedis(client, 10_000);
  const space = openQueueSpace(client, "bench");
  stack.defer(() => space.close());
  // Awaited here: otherwise everything would be closed under it.
  return await work(space);
}
