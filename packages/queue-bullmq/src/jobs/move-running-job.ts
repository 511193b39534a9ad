import { defaultDeliveryPolicy, type Failure, type InferenceJob } from "@forebay/queue-contracts";
import { scorePerTag, tagFloor } from "@forebay/scheduling";
import { LockLostError } from "../consumer/fenced-record.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { liveChannel } from "../token-log/live-channel.ts";
import { logKey } from "../token-log/log-entry.ts";
import { logLua } from "../token-log/log-lua.ts";
import { movedKey } from "./locate-job.ts";
import { startsLine } from "./starts.ts";

// BullMQ has no way from one queue to another. All of it in one script: nobody ever sees the job twice or not at all.
// It stands at the front of its priority there, like a job BullMQ puts back: it has waited its turn.
// KEYS, of the queue it leaves: job, lock, log, active, stalled; of the other: job, log, prioritized, marker, meta,
// active, events; then where moves are remembered.
// ARGV: lock token, id, payload, line for `starts`, model, now (ms), channel, name of the other queue, how long the move
// is remembered (s). Returns false when the lock is not ours, 0 when the other queue has a job of this id.
const move = createLuaScript(`
if redis.call("GET", KEYS[2]) ~= ARGV[1] then return false end
if redis.call("EXISTS", KEYS[6]) == 1 then return 0 end
local names = { "name", "timestamp", "delay", "priority", "opts", "partial", "stop", "share", "quota" }
local fields = redis.call("HMGET", KEYS[1], unpack(names))
local starts = redis.call("HGET", KEYS[1], "starts") or ""
for i, name in ipairs(names) do
  if fields[i] then redis.call("HSET", KEYS[6], name, fields[i]) end
end
redis.call("HSET", KEYS[6], "data", ARGV[3], "starts", starts .. ARGV[4])
redis.call("DEL", KEYS[7])
if redis.call("EXISTS", KEYS[3]) == 1 then redis.call("RENAME", KEYS[3], KEYS[7]) end
redis.call("DEL", KEYS[1], KEYS[2])
redis.call("LREM", KEYS[4], 1, ARGV[2])
redis.call("SREM", KEYS[5], ARGV[2])
redis.call("SET", KEYS[13], ARGV[8], "EX", ARGV[9])
-- It has waited its turn: a tick before the first there, if that would come before it. Below the floor stands only
-- what has no tag yet.
local priority = tonumber(fields[4]) or 0
local head = redis.call("ZRANGEBYSCORE", KEYS[8], ${tagFloor * scorePerTag}, "+inf", "WITHSCORES", "LIMIT", 0, 1)
if head[2] then priority = math.min(priority, math.max(${tagFloor}, math.floor(head[2] / ${scorePerTag}) - 1)) end
redis.call("HSET", KEYS[6], "priority", string.format("%.0f", priority))
redis.call("ZADD", KEYS[8], string.format("%.17g", priority * ${scorePerTag}), ARGV[2])
local meta = redis.call("HMGET", KEYS[10], "opts.maxLenEvents", "paused", "concurrency")
local maxed = meta[3] and redis.call("LLEN", KEYS[11]) >= tonumber(meta[3])
if not meta[2] and not maxed then redis.call("ZADD", KEYS[9], 0, "0") end
redis.call("XADD", KEYS[12], "MAXLEN", "~", meta[1] or 10000, "*", "event", "waiting", "jobId", ARGV[2])
${logLua("KEYS[7]")}
log("state", string.format('{"state":"waiting","at_ms":%s,"model":%s}', ARGV[6], ARGV[5]))
publish(ARGV[7])
return 1
`);

/**
 * Takes a running job off its queue, with its id, its history and its log, and puts it on another one with another
 * payload; whole or not at all. Throws LockLostError when the caller does not hold its lock.
 */
export async function moveRunningJob(
  space: QueueSpace,
  from: { id: string; queueName: string; token: string },
  to: { queueName: string; job: InferenceJob },
  ended: { failure: Failure; gpuMs: number },
): Promise<void> {
  const { id } = from;
  const now = Date.now();
  const end = {
    ended_at: new Date(now).toISOString(),
    outcome: "moved" as const,
    gpu_ms: ended.gpuMs,
    ...ended.failure,
  };
  // Opening the queue, once, writes what BullMQ keeps about it.
  space.queue(to.queueName);
  const oldKey = space.jobKey(from.queueName, id);
  const newKey = space.jobKey(to.queueName, id);
  const keys = [
    oldKey,
    `${oldKey}:lock`,
    logKey(oldKey),
    ...["active", "stalled"].map((part) => space.jobKey(from.queueName, part)),
    newKey,
    logKey(newKey),
    ...["prioritized", "marker", "meta", "active", "events"].map((part) => space.jobKey(to.queueName, part)),
    movedKey(space, id),
  ];
  const reply = await move(space.client, keys, [
    from.token,
    id,
    JSON.stringify(to.job),
    startsLine({ end }),
    JSON.stringify(to.job.model),
    now,
    liveChannel(space, id),
    to.queueName,
    defaultDeliveryPolicy.deadLetterAgeS,
  ]);
  if (reply === null) throw new LockLostError(id);
  if (reply === 0) throw new Error(`job ${id} is on ${to.queueName} already`);
}
