import { createLuaScript } from "../redis/lua.ts";
import type { Redis } from "../redis/open-redis.ts";
import { type StartsLine, startsLine } from "../jobs/starts.ts";
import type { NewLogEntry } from "../token-log/log-entry.ts";

/** Another worker owns the job now: whatever this one still has to say about it must not be written. */
export class LockLostError extends Error {
  readonly code = "lock_lost";
  constructor(id: string) {
    super(`job ${id} is no longer locked by this worker`);
  }
}

/** A job as its worker sees it: where its record is, and the proof that it may write there. */
export type LockedJob = {
  readonly id: string;
  /** Key of its hash. */ readonly key: string;
  /** Channel on which its log is followed. */ readonly channel: string;
  readonly token: string;
};

/** How long a log is kept after its last entry, at least as long as any result or failure. Seconds. */
const logTtlS = 7 * 24 * 3_600;

// Numbers of the log rise by one over all attempts: `0-*` lets Redis count, 0-2 is the first (see log-entry.ts).
const logFunction = `
local published = {}
local function log(event, data)
  local id = "0-*"
  if redis.call("EXISTS", KEYS[3]) == 0 then id = "0-2" end
  local given = redis.call("XADD", KEYS[3], id, "e", event, "d", data)
  published[#published + 1] = string.sub(given, 3) .. " " .. event .. " " .. data
end
local function publish(channel, ttl)
  if #published == 0 then return end
  redis.call("EXPIRE", KEYS[3], ttl)
  redis.call("PUBLISH", channel, table.concat(published, "\\n"))
end
`;

// KEYS: job hash, its lock, its log. ARGV: lock token, worker as JSON text, channel, log's time to live.
// Returns false when the lock is not ours, otherwise { earlier starts, kept, stop, now in ms }.
const openStart = createLuaScript(`
if redis.call("GET", KEYS[2]) ~= ARGV[1] then return false end
${logFunction}
local fields = redis.call("HMGET", KEYS[1], "starts", "kept", "stop", "partial", "atm")
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local earlier = fields[1] or ""
local start = string.format('{"start":{"at_ms":%d,"worker":%s}}\\n', now, ARGV[2])
redis.call("HSET", KEYS[1], "starts", earlier .. start)
local attempt = (tonumber(fields[5]) or 0) + 1
-- Readers have seen part of an answer that will be written anew, unless it was finished and kept.
if fields[4] and not fields[2] then
  redis.call("HDEL", KEYS[1], "partial")
  log("restart", string.format('{"attempt":%d}', attempt))
end
log("state", string.format('{"state":"active","at_ms":%d,"attempt":%d}', now, attempt))
publish(ARGV[3], ARGV[4])
return { earlier, fields[2] or "", fields[3] or "", now }
`);

// KEYS as above. ARGV: lock token, lines for \`starts\`, answer to keep ("" = none), channel, time to live,
// "1" when tokens are among the entries, most entries to keep (0 = all), then event and data of each entry.
const append = createLuaScript(`
if redis.call("GET", KEYS[2]) ~= ARGV[1] then return false end
${logFunction}
if ARGV[2] ~= "" then
  redis.call("HSET", KEYS[1], "starts", (redis.call("HGET", KEYS[1], "starts") or "") .. ARGV[2])
end
if ARGV[3] ~= "" then redis.call("HSET", KEYS[1], "kept", ARGV[3]) end
if ARGV[6] == "1" then redis.call("HSET", KEYS[1], "partial", "1") end
for i = 8, #ARGV, 2 do log(ARGV[i], ARGV[i + 1]) end
if ARGV[7] ~= "0" then redis.call("XTRIM", KEYS[3], "MAXLEN", ARGV[7]) end
publish(ARGV[4], ARGV[5])
return 1
`);

const keysOf = (job: LockedJob): string[] => [job.key, `${job.key}:lock`, `${job.key}:log`];

/** What a job's hash holds when a worker picks it up. */
export type OpenedStart = {
  /** The record of starts before this one. */ readonly earlier: string;
  /** A finished answer an earlier start did not live to record; "" = none. */ readonly kept: string;
  /** Why it is to be stopped, asked for while nobody ran it; "" = it is not. */ readonly stop: string;
  /** Redis's clock. */ readonly nowMs: number;
};

/** Notes that a worker has begun the job, in its record and its log. Throws LockLostError. */
export async function openFencedStart(client: Redis, job: LockedJob, worker: string): Promise<OpenedStart> {
  const reply = await openStart(client, keysOf(job), [
    job.token,
    JSON.stringify(worker),
    job.channel,
    logTtlS,
  ]);
  if (!Array.isArray(reply)) throw new LockLostError(job.id);
  const [earlier, kept, stop, now] = reply.map(String);
  return { earlier: earlier ?? "", kept: kept ?? "", stop: stop ?? "", nowMs: Number(now) };
}

/** What a worker adds to a job's record in one step. */
export type FencedAppend = {
  readonly lines?: readonly StartsLine[];
  /** The finished answer, kept until BullMQ has recorded it. */ readonly keep?: string;
  readonly entries?: readonly NewLogEntry[];
  /** Most entries the log may have; older ones are dropped. */ readonly entriesMax?: number;
};

/**
 * Adds to a job's record of starts and to its log, and keeps its finished answer, all of it or nothing, only
 * while the caller holds the job's lock. Throws LockLostError when the lock is gone.
 */
export async function appendFenced(client: Redis, job: LockedJob, add: FencedAppend): Promise<void> {
  const { lines = [], keep = "", entries = [], entriesMax = 0 } = add;
  const reply = await append(client, keysOf(job), [
    job.token,
    lines.map(startsLine).join(""),
    keep,
    job.channel,
    logTtlS,
    entries.some((entry) => entry.event === "token") ? "1" : "0",
    entriesMax,
    ...entries.flatMap((entry) => [entry.event, JSON.stringify(entry.data)]),
  ]);
  if (reply !== 1) throw new LockLostError(job.id);
}
