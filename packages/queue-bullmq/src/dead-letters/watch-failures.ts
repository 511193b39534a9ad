import { closeRedis } from "../redis/open-redis.ts";
import type { QueueSpace } from "../queues/queue-space.ts";

/** Published, with the queue's name, when a worker saw a job fail for good. */
export const failureChannel = (space: QueueSpace): string => space.key("jobs", "failed");

/** Calls `onFailure` when a job failed. Only a hint: lost while Redis or the listener is away. */
export async function watchFailures(space: QueueSpace, onFailure: () => void): Promise<AsyncDisposable> {
  const subscriber = space.client.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null });
  // The connection it was copied from reports the same faults.
  subscriber.on("error", () => undefined);
  subscriber.on("message", onFailure);
  await subscriber.subscribe(failureChannel(space));
  return { [Symbol.asyncDispose]: () => closeRedis(subscriber) };
}
