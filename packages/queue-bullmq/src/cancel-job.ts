import { formatFailedReason } from "@forebay/queue-contracts";
import { createLuaScript } from "./lua.ts";
import type { QueueSpace } from "./queue-space.ts";
import { indexEnded } from "./tenant-index.ts";

// BullMQ has no way from waiting to failed. This is moveToFinished for a job that nobody holds: taken out of
// the set it waits in, put into `failed`, announced. KEYS: prioritized, wait, delayed, failed, job, events,
// active. ARGV: id, now (ms), failedReason. Returns 1 cancelled, 2 running, 3 ended, 0 no such job.
const cancelWaiting = createLuaScript(`
if redis.call("EXISTS", KEYS[5]) == 0 then return 0 end
if redis.call("HEXISTS", KEYS[5], "finishedOn") == 1 then return 3 end
local removed = redis.call("ZREM", KEYS[1], ARGV[1]) + redis.call("LREM", KEYS[2], 0, ARGV[1])
  + redis.call("ZREM", KEYS[3], ARGV[1])
if removed == 0 then return 2 end
redis.call("HSET", KEYS[5], "failedReason", ARGV[3], "finishedOn", ARGV[2])
redis.call("HDEL", KEYS[5], "defa", "kept")
redis.call("ZADD", KEYS[4], ARGV[2], ARGV[1])
redis.call("XADD", KEYS[6], "MAXLEN", "~", 200, "*", "event", "failed", "jobId", ARGV[1],
  "failedReason", ARGV[3], "prev", "waiting")
return 1
`);

export type CancelAnswer = "cancelled" | "running" | "ended" | "missing";

/** Cancels a job that waits or is delayed: whole or not at all, whatever the workers do meanwhile. */
export async function cancelWaitingJob(
  space: QueueSpace,
  job: { id: string; queueName: string; tenant: string },
): Promise<CancelAnswer> {
  const queue = space.queue(job.queueName);
  const keys = ["prioritized", "wait", "delayed", "failed", job.id, "events"].map((part) =>
    queue.toKey(part),
  );
  const reason = formatFailedReason({ code: "cancelled", message: "cancelled on request" });
  const reply = await cancelWaiting(space.client, keys, [job.id, Date.now(), reason]);
  if (reply === 0) return "missing";
  if (reply === 2) return "running";
  if (reply === 3) return "ended";
  const pipeline = space.client.pipeline();
  indexEnded(pipeline, space, job.tenant, job.id);
  await pipeline.exec();
  return "cancelled";
}
