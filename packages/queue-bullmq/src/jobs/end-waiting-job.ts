import { type Failure, formatFailedReason } from "@forebay/queue-contracts";
import { clearDeadline } from "../control/deadlines.ts";
import { createLuaScript } from "../redis/lua.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { fairKeys } from "../scheduling/fair-keys.ts";
import { limitsLua } from "../scheduling/limits-lua.ts";
import { fairLua } from "../scheduling/fair-lua.ts";
import { runningLua } from "../scheduling/running-lua.ts";
import { indexEnded } from "./tenant-index.ts";
import { announceChange } from "../token-log/live-channel.ts";

// BullMQ has no way from waiting to failed. This is moveToFinished for a job that nobody holds: taken out of
// the set it waits in, put into `failed`, announced. A job in `active` whose lock has run out is nobody's too;
// it is taken only when asked for, since a worker may be about to take it back.
// KEYS: prioritized, wait, delayed, failed, job, events, active, stalled, lock, the two of fair shares.
// ARGV: id, now (ms), failedReason, "1" to take orphans, name of the queue, prefix with a colon. Returns 1 ended, 2 running, 3 ended before, 0 missing.
const endWaiting = createLuaScript(`
if redis.call("HEXISTS", KEYS[5], "timestamp") == 0 then return 0 end
if redis.call("HEXISTS", KEYS[5], "finishedOn") == 1 then return 3 end
local removed = redis.call("ZREM", KEYS[1], ARGV[1]) + redis.call("LREM", KEYS[2], 0, ARGV[1])
  + redis.call("ZREM", KEYS[3], ARGV[1])
${fairLua("KEYS[10]", "KEYS[11]")}
${runningLua("KEYS[10]")}
local running = known_running(ARGV[6])
if removed > 0 then
  if running then running.unhold(ARGV[5], ARGV[1], redis.call("HGET", KEYS[5], "share")) end
  give_back(KEYS[5], ARGV[5])
  ${limitsLua}
  settle_quota(KEYS[5], 0)
end
if removed == 0 and ARGV[4] == "1" and redis.call("EXISTS", KEYS[9]) == 0 then
  removed = redis.call("LREM", KEYS[7], 0, ARGV[1])
  redis.call("SREM", KEYS[8], ARGV[1])
  if running and removed > 0 then running.leave(ARGV[5], ARGV[1], redis.call("HGET", KEYS[5], "share")) end
end
if removed == 0 then return 2 end
redis.call("HSET", KEYS[5], "failedReason", ARGV[3], "finishedOn", ARGV[2])
redis.call("HDEL", KEYS[5], "defa", "kept", "stop")
redis.call("ZADD", KEYS[4], ARGV[2], ARGV[1])
redis.call("XADD", KEYS[6], "MAXLEN", "~", 200, "*", "event", "failed", "jobId", ARGV[1],
  "failedReason", ARGV[3], "prev", "waiting")
return 1
`);

const answers = { 0: "missing", 1: "ended", 2: "running", 3: "ended_before" } as const;
export type EndAnswer = (typeof answers)[keyof typeof answers];

/**
 * Ends a job that waits or is delayed without a result: whole or not at all, whatever the workers do meanwhile.
 *
 * @param options.orphans also a job whose worker has died, which otherwise goes back to waiting by itself
 */
export async function endWaitingJob(
  space: QueueSpace,
  job: { id: string; queueName: string; tenant: string | undefined },
  failure: Failure,
  options: { orphans?: boolean } = {},
): Promise<EndAnswer> {
  const queue = space.queue(job.queueName);
  const parts = ["prioritized", "wait", "delayed", "failed", job.id, "events", "active", "stalled"];
  const { fair, flows } = fairKeys(space);
  const keys = [...parts.map((part) => queue.toKey(part)), `${queue.toKey(job.id)}:lock`, fair, flows];
  const reason = formatFailedReason(failure);
  const orphans = options.orphans ? "1" : "0";
  const args = [job.id, Date.now(), reason, orphans, job.queueName, `${space.prefix}:`];
  const reply = Number(await endWaiting(space.client, keys, args)) as keyof typeof answers;
  if (reply !== 1) return answers[reply];
  const pipeline = space.client.pipeline();
  if (job.tenant !== undefined) indexEnded(pipeline, space, job.tenant, job.id);
  announceChange(pipeline, space, job.id);
  await Promise.all([pipeline.exec(), clearDeadline(space, job.id)]);
  return "ended";
}
