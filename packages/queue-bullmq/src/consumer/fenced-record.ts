import { createLuaScript } from "../redis/lua.ts";
import type { Redis } from "../redis/open-redis.ts";
import { type StartsLine, startsLine } from "../jobs/starts.ts";
import { logKey, type NewLogEntry } from "../token-log/log-entry.ts";
import { fairLua } from "../scheduling/fair-lua.ts";
import { runningLua } from "../scheduling/running-lua.ts";
import { startFields, startLua } from "./start-lua.ts";
import { logLua } from "../token-log/log-lua.ts";

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

// Redis may have run a script whose answer was lost with the connection; ioredis sends it again then. Both
// scripts find out that they have been run.

// KEYS: job hash, its lock, its log. ARGV: lock token, worker as JSON text, channel, backend as JSON text ("" = not known).
// Returns false when the lock is not ours, otherwise { earlier starts, kept, stop, now in ms, number of the last entry }.
const openStart = createLuaScript(`
if redis.call("GET", KEYS[2]) ~= ARGV[1] then return false end
${startLua}
local names, known = { ${startFields.map((field) => `"${field}"`).join(", ")} }, {}
for i, value in ipairs(redis.call("HMGET", KEYS[1], unpack(names))) do known[names[i]] = value or nil end
local earlier, now, seq = open_start(KEYS[1], known, ARGV[2], ARGV[4], ARGV[3])
return { earlier, known.kept or "", known.stop or "", now, seq }
`);

// KEYS as above, and, when a start ends, the two of fair shares. ARGV: lock token, lines for `starts`, channel, most
// entries to keep (0 = all), number of the last entry as the writer knows it, how long a slot was held (ms, "" = the
// start goes on), name of the queue it goes back to ("" = none), prefix with a colon, queue, id, then event and data of
// each entry.
// Returns false when the lock is not ours, 0 when tokens would follow others that Redis has lost, otherwise 1.
const append = createLuaScript(`
if redis.call("GET", KEYS[2]) ~= ARGV[1] then return false end
local first, written = 11, tonumber(ARGV[5])
if #ARGV > first then
  ${logLua("KEYS[3]")}
  local done = seq >= written + (#ARGV - first + 1) / 2
  if not done then
    if seq < written and ARGV[first] == "token" then return 0 end
    skip_to(written)
    for i = first, #ARGV, 2 do
      log(ARGV[i], ARGV[i + 1])
      if ARGV[i] == "token" then redis.call("HSET", KEYS[1], "partial", "1") end
    end
    if ARGV[4] ~= "0" then redis.call("XTRIM", KEYS[3], "MAXLEN", ARGV[4]) end
    publish(ARGV[3])
  end
end
if ARGV[2] ~= "" then
  redis.call("HSET", KEYS[1], "starts", (redis.call("HGET", KEYS[1], "starts") or "") .. ARGV[2])
end
if ARGV[6] ~= "" then
  ${fairLua("KEYS[4]", "KEYS[5]")}
  ${runningLua("KEYS[4]")}
  settle(KEYS[1], tonumber(ARGV[6]), ARGV[7])
  local running = known_running(ARGV[8])
  if running then running.leave(ARGV[9], ARGV[10], redis.call("HGET", KEYS[1], "share")) end
end
return 1
`);

const keysOf = (job: LockedJob): string[] => [job.key, `${job.key}:lock`, logKey(job.key)];

/** What a job's hash holds when a worker picks it up. */
export type OpenedStart = {
  /** The record of starts before this one. */ readonly earlier: string;
  /** A finished answer an earlier start did not live to record; "" = none. */ readonly kept: string;
  /** Why it is to be stopped, asked for while nobody ran it; "" = it is not. */ readonly stop: string;
  /** Redis's clock. */ readonly nowMs: number;
  /** Number of the last entry of the log. */ readonly seq: number;
};

/** Notes that a worker has begun the job, in its record and its log. Throws LockLostError. */
export async function openFencedStart(
  client: Redis,
  job: LockedJob,
  by: { worker: string; backend?: string | undefined },
): Promise<OpenedStart> {
  const backend = by.backend === undefined ? "" : JSON.stringify(by.backend);
  const reply = await openStart(client, keysOf(job), [
    job.token,
    JSON.stringify(by.worker),
    job.channel,
    backend,
  ]);
  if (!Array.isArray(reply)) throw new LockLostError(job.id);
  const [earlier = "", kept = "", stop = "", now, seq] = reply.map(String);
  return { earlier, kept, stop, nowMs: Number(now), seq: Number(seq) };
}

/** What a worker adds to a job's record in one step. */
export type FencedAppend = {
  readonly lines?: readonly StartsLine[];
  readonly entries?: readonly NewLogEntry[];
  /** Number of the entry these follow, as the writer knows it. */ readonly after?: number;
  /** Most entries the log may have; older ones are dropped. */ readonly entriesMax?: number;
  /** The start has ended: what it used is charged to its flow. */ readonly charge?: FairCharge;
};

type FairCharge = {
  readonly keys: { readonly fair: string; readonly flows: string };
  /** Prefix with a colon. */ readonly root: string;
  readonly queueName: string;
  /** How long it held a slot. */ readonly usedMs: number;
  /** Where it comes back; undefined: it ended. */ readonly backTo: string | undefined;
};

/**
 * Adds to a job's record of starts and to its log, all of it or nothing, only while the caller holds the job's lock. Throws LockLostError when the lock is gone.
 *
 * @returns `lost`: Redis came back without the entries before these tokens, and nothing was written. Any other
 * entry is written then all the same, with the number it would have had.
 */
export async function appendFenced(
  client: Redis,
  job: LockedJob,
  add: FencedAppend,
): Promise<"written" | "lost"> {
  const { lines = [], entries = [], after = 0, entriesMax = 0, charge } = add;
  const keys = charge ? [...keysOf(job), charge.keys.fair, charge.keys.flows] : keysOf(job);
  const reply = await append(client, keys, [
    job.token,
    lines.map(startsLine).join(""),
    job.channel,
    entriesMax,
    after,
    charge?.usedMs ?? "",
    charge?.backTo ?? "",
    charge?.root ?? "",
    charge?.queueName ?? "",
    job.id,
    ...entries.flatMap((entry) => [entry.event, JSON.stringify(entry.data)]),
  ]);
  if (reply === null) throw new LockLostError(job.id);
  return reply === 0 ? "lost" : "written";
}
