import { closeRedis } from "../redis/open-redis.ts";
import { createLuaScript } from "../redis/lua.ts";
import type { QueueSpace } from "../queues/queue-space.ts";

/** Why a running job is to be stopped from outside. */
export type StopReason = "cancelled" | "timed_out";

const channel = (space: QueueSpace): string => space.key("stop");

// The wish is kept with the job, since its worker may be dead or away: whoever starts the job next finds it.
// KEYS: job. ARGV: reason, channel, id. Returns 0 when the job is gone or has ended.
const recordWish = createLuaScript(`
if redis.call("HEXISTS", KEYS[1], "timestamp") == 0 then return 0 end
if redis.call("HEXISTS", KEYS[1], "finishedOn") == 1 then return 0 end
redis.call("HSETNX", KEYS[1], "stop", ARGV[1])
redis.call("PUBLISH", ARGV[2], ARGV[3] .. " " .. ARGV[1])
return 1
`);

/**
 * Asks the worker that runs a job, whichever it is, to stop it. The wish outlives that worker. False: the job
 * has ended already, and its result stands.
 */
export async function requestStop(
  space: QueueSpace,
  job: { id: string; queueName: string },
  reason: StopReason,
): Promise<boolean> {
  const key = space.jobKey(job.queueName, job.id);
  return (await recordWish(space.client, [key], [reason, channel(space), job.id])) === 1;
}

/** Calls `onStop` when somebody asks for a running job to be stopped. */
export async function watchStops(
  space: QueueSpace,
  onStop: (id: string, reason: StopReason) => void,
): Promise<AsyncDisposable> {
  const subscriber = space.client.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null });
  subscriber.on("error", () => undefined);
  subscriber.on("message", (_channel: string, message: string) => {
    const [id = "", reason] = message.split(" ");
    onStop(id, reason === "timed_out" ? "timed_out" : "cancelled");
  });
  await subscriber.subscribe(channel(space));
  return { [Symbol.asyncDispose]: () => closeRedis(subscriber) };
}
