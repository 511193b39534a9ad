import { defaultDeliveryPolicy, type Failure, type InferenceJob } from "@forebay/queue-contracts";
import { LockLostError } from "../consumer/fenced-record.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { fairKeys } from "../scheduling/fair-keys.ts";
import { fairLua } from "../scheduling/fair-lua.ts";
import { runningLua } from "../scheduling/running-lua.ts";
import { liveChannel } from "../token-log/live-channel.ts";
import { logKey } from "../token-log/log-entry.ts";
import { logLua } from "../token-log/log-lua.ts";
import { movedKey } from "./locate-job.ts";
import { startsLine } from "./starts.ts";

// BullMQ has no way from one queue to another. All of it in one script: nobody ever sees the job twice or not at all.
// It stands before all others there, like a job taken from a dead worker: it has waited its turn.
// KEYS, of the queue it leaves: job, lock, log, active, stalled; of the other: job, log, wait, marker, meta,
// active, events; then where moves are remembered, and the two of fair shares.
// ARGV: lock token, id, payload, line for `starts`, model, now (ms), channel, name of the other queue, how long the move
// is remembered (s), milliseconds it used, prefix with a colon, name of the queue it leaves. Returns false when the lock is not ours, 0 when the other queue has a job of this id.
const move = createLuaScript(`
if redis.call("GET", KEYS[2]) ~= ARGV[1] then return false end
if redis.call("EXISTS", KEYS[6]) == 1 then return 0 end
${fairLua("KEYS[14]", "KEYS[15]")}
-- What it used is charged; what it had asked for, and the tokens that were reserved, are for its next start.
settle(KEYS[1], tonumber(ARGV[10]), ARGV[8])
${runningLua("KEYS[14]")}
local running = known_running(ARGV[11])
if running then running.leave(ARGV[12], ARGV[2], redis.call("HGET", KEYS[1], "share")) end
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
redis.call("RPUSH", KEYS[8], ARGV[2])
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
  const { fair, flows } = fairKeys(space);
  const oldKey = space.jobKey(from.queueName, id);
  const newKey = space.jobKey(to.queueName, id);
  const keys = [
    oldKey,
    `${oldKey}:lock`,
    logKey(oldKey),
    ...["active", "stalled"].map((part) => space.jobKey(from.queueName, part)),
    newKey,
    logKey(newKey),
    ...["wait", "marker", "meta", "active", "events"].map((part) => space.jobKey(to.queueName, part)),
    movedKey(space, id),
    fair,
    flows,
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
    ended.gpuMs,
    `${space.prefix}:`,
    from.queueName,
  ]);
  if (reply === null) throw new LockLostError(id);
  if (reply === 0) throw new Error(`job ${id} is on ${to.queueName} already`);
}
