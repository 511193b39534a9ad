import { type Lane, laneSchema } from "@forebay/queue-contracts";
import { createLuaScript } from "../redis/lua.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { fairKeys } from "../scheduling/fair-keys.ts";
import { fairLua } from "../scheduling/fair-lua.ts";
import { runningLua } from "../scheduling/running-lua.ts";

/** The job of a queue that would run next, and how much is behind it. */
export type WaitingHead = {
  readonly queueName: string;
  readonly id: string;
  /** Its BullMQ priority: the lower, the sooner. 0: put there without one, before all others. */
  readonly tag: number;
  /** When it was put, in milliseconds. */ readonly sinceMs: number;
  /** Its lane; one without a tag has the standard one. */ readonly lane: Lane;
  /** Jobs that wait, this one among them. */ readonly waiting: number;
};

/** What was seen of a queue at one moment. */
export type QueueLook = {
  /** Undefined: nothing waits, or the queue is paused. */ readonly head: WaitingHead | undefined;
  /** When the next delayed job is due, in milliseconds; a job that is due already counts as waiting. */
  readonly delayedUntil: number | undefined;
};

// KEYS: meta, wait, prioritized, delayed of a queue, the two of fair shares. ARGV: key of a job without its id, now (ms),
// prefix with a colon, queue.
// Returns { id or "", tag, waiting, next delayed (ms) or "", when it was put (ms), its share or "" }.
const look = createLuaScript(`
if redis.call("EXISTS", ARGV[3] .. "running") == 1 and redis.call("HEXISTS", KEYS[1], "paused") == 0 then
  ${fairLua("KEYS[5]", "KEYS[6]")}
  ${runningLua("KEYS[5]")}
  local running = open_running(ARGV[3])
  -- Whoever is passed over is no head. More of them than one script should move are looked at again at once.
  if not running.pass_over_first(ARGV[4]) or not running.pass_over(ARGV[4]) then return { "", 0, 0, ARGV[2], "" } end
end
local function known(id)
  local fields = redis.call("HMGET", ARGV[1] .. id, "timestamp", "share")
  return fields[1] or "", fields[2] or ""
end
local delayed = redis.call("ZRANGE", KEYS[4], 0, 0, "WITHSCORES")
-- BullMQ keeps the time in the upper bits.
local due = delayed[2] and math.floor(delayed[2] / 0x1000)
if redis.call("HEXISTS", KEYS[1], "paused") == 1 then return { "", 0, 0, "", "" } end
local plain, ranked = redis.call("LLEN", KEYS[2]), redis.call("ZCARD", KEYS[3])
if plain > 0 then
  local id = redis.call("LINDEX", KEYS[2], -1)
  return { id, 0, plain + ranked, due or "", known(id) }
end
local late = due and due <= tonumber(ARGV[2])
local first = redis.call("ZRANGE", KEYS[3], 0, 0, "WITHSCORES")
if first[1] then return { first[1], math.floor(first[2] / 0x100000000), ranked, due or "", known(first[1]) } end
-- The next command that takes a job moves it to the others first.
if late then
  return { delayed[1], tonumber(redis.call("HGET", ARGV[1] .. delayed[1], "priority") or 0), 1, due, due }
end
return { "", 0, 0, due or "", "" }
`);

/**
 * Looks at a queue; one short command. It changes nothing, except that jobs at its front whose tenant runs as many as
 * it may are held.
 */
export async function lookAtQueue(space: QueueSpace, queueName: string, nowMs: number): Promise<QueueLook> {
  const keys = ["meta", "wait", "prioritized", "delayed"].map((part) => space.jobKey(queueName, part));
  const { fair, flows } = fairKeys(space);
  const args = [space.jobKey(queueName, ""), nowMs, `${space.prefix}:`, queueName];
  const reply = await look(space.client, [...keys, fair, flows], args);
  const [id = "", tag, waiting, due = "", since = "", share = ""] = Array.isArray(reply)
    ? reply.map(String)
    : [];
  const sinceMs = since === "" ? nowMs : Number(since);
  const head = { queueName, id, tag: Number(tag), sinceMs, lane: laneOf(share), waiting: Number(waiting) };
  return {
    head: id === "" ? undefined : head,
    delayedUntil: due === "" ? undefined : Number(due),
  };
}

/** A share begins with its flow, and that with the lane (`flowOf`). */
function laneOf(share: string): Lane {
  return laneSchema.safeParse(share.slice(0, share.indexOf(":"))).data ?? "standard";
}
