import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";

/**
 * Room promised to callers that were sent away, each of which was told another time. `<prefix>:promises` holds how much
 * of each line is promised (`heavy:<line>`, `light:<line>`, in the line's unit), `…:flows` to whom (ms), `…:held` all
 * promises by when they are forgotten, `…:of:<identity>` those of one request by when its room is there.
 */
const keysOf = (space: QueueSpace): string[] =>
  ["", "flows", "held"].map((part) => (part === "" ? space.key("promises") : space.key("promises", part)));

/** What of a line is promised, in its unit; absent: nothing. */
export type Promised = { readonly heavy: number; readonly light: number };

/** How much room is promised, by line. */
export async function readPromises(space: QueueSpace): Promise<ReadonlyMap<string, Promised>> {
  const lines = new Map<string, Promised>();
  for (const [field, amount] of Object.entries(await space.client.hgetall(space.key("promises")))) {
    const [, part, line = ""] = /^(heavy|light):(.*)$/.exec(field) ?? [];
    if (part === undefined) continue;
    lines.set(line, { ...(lines.get(line) ?? { heavy: 0, light: 0 }), [part]: Number(amount) });
  }
  return lines;
}

/** One who wants to join a line that is full, or of which room is promised. */
export type RoomRequest = {
  /** Equal when the same request is made again; without spaces. */ readonly identity: string;
  /** Whose it is; without spaces. */ readonly flow: string;
  /** How much room it needs, in the line's unit. */ readonly amount: number;
  /** The line, without spaces, and how long it is now. */ readonly line: string;
  readonly levelMs: number;
  /** How long it may be, also with those who were promised room, and what promises aim at. */
  readonly limitMs: number;
  readonly keptMs: number;
  readonly targetMs: number;
  /** A line this short takes everybody: those who were promised room do not all come back. */ readonly lowMs: number;
  /** Milliseconds of the line a unit of its room is. */ readonly msPerUnit: number;
  /** Milliseconds promised of other lines that are worked off by the same hosts. */
  readonly others: Promised;
};

export type RoomAnswer =
  /** It may join: room was promised to it (`kept`), or nobody else needs it (`room`). */
  | { kind: "kept" | "room" }
  /** It may not, and has a place from then on (`told`, `again`: the one it had could not be given yet); or none (`unpromised`). */
  | { kind: "told" | "again" | "unpromised"; waitMs: number };

/**
 * So much of the room is promised to anybody, and so much to those who hold few promises. The rest is left because jobs
 * may take longer than expected; if they do not, the line gets shorter and takes others.
 */
const heavyPart = 0.6;
const lightPart = 0.2;
/** A promise is held for so long after its time, and a tenth of the wait. */
const heldMs = 15_000;
const horizonMs = 3_600_000;
const promisesMax = 100_000;
/** Timers of callers may be that early. */
const earlyMs = 100;

// KEYS: sums, flows, held. ARGV: key of an identity's promises without it, identity, flow, amount, line, level, limit,
// limit for those with a promise, target, low, ms a unit, others' heavy and light ms. Returns what, and ms to wait.
const script = createLuaScript(`
local sums, flows, held, of = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local identity, flow, amount, line = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local level, limit, kept = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local target, low, unit = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function take_from(key, field, by)
  if redis.call("HINCRBY", key, field, -by) <= 0 then redis.call("HDEL", key, field) end
end
local function forget(whose, promise)
  redis.call("ZREM", of .. whose, promise)
  if redis.call("ZREM", held, whose .. " " .. promise) == 0 then return end
  local kind, of_line, of_flow, units, ms = string.match(promise, "^%d+ (%S+) (%S+) (%S+) (%d+) (%d+)$")
  take_from(sums, kind .. ":" .. of_line, units)
  take_from(flows, of_flow, ms)
  take_from(sums, "all", ms)
end
local function hold(promise, wait)
  local keep = math.ceil(wait * 1.1 + ${heldMs})
  redis.call("ZADD", of .. identity, now + wait, promise)
  redis.call("ZADD", held, now + keep, identity .. " " .. promise)
  if redis.call("PTTL", of .. identity) < keep then redis.call("PEXPIRE", of .. identity, keep) end
  for _, key in ipairs(KEYS) do redis.call("PEXPIRE", key, ${2 * horizonMs}) end
end
for _, member in ipairs(redis.call("ZRANGEBYSCORE", held, "-inf", now, "LIMIT", 0, 50)) do
  forget(string.match(member, "^(%S+) (.+)$"))
end
local mine = redis.call("ZRANGEBYSCORE", of .. identity, "-inf", now + ${earlyMs}, "LIMIT", 0, 1)[1]
if mine then
  if level <= kept then
    forget(identity, mine)
    return { "kept", 0 }
  end
  local wait = math.ceil(math.max(1000, level - target))
  hold(mine, wait)
  return { "again", wait }
end
local promised = redis.call("HMGET", sums, "heavy:" .. line, "light:" .. line, "all")
local heavy = (tonumber(promised[1]) or 0) * unit + tonumber(ARGV[12])
local light = (tonumber(promised[2]) or 0) * unit + tonumber(ARGV[13])
if heavy + light == 0 and level <= limit then return { "room", 0 } end
local needed = amount * unit
if level <= low or level + heavy + light + needed <= target then return { "room", 0 } end
-- Who holds less than half of what holders have on average does not stand behind all they have.
local excess = math.max(0, level - target)
local kind, wait = "heavy", excess + (heavy + needed) / ${heavyPart}
local holds = tonumber(redis.call("HGET", flows, flow)) or 0
if holds * redis.call("HLEN", flows) * 2 < (tonumber(promised[3]) or 0) then
  local sooner = excess + (light + needed) / ${lightPart}
  if sooner < wait then kind, wait = "light", sooner end
end
wait = math.ceil(wait)
if wait > ${horizonMs} or redis.call("ZCARD", held) >= ${promisesMax} then
  return { "unpromised", math.min(wait, ${horizonMs}) }
end
local ms = math.max(1, math.ceil(needed))
hold(string.format("%d %s %s %s %d %d", redis.call("HINCRBY", sums, "made", 1), kind, line, flow, amount, ms), wait)
redis.call("HINCRBY", sums, kind .. ":" .. line, amount)
redis.call("HINCRBY", sums, "all", ms)
redis.call("HINCRBY", flows, flow, ms)
return { "told", wait }
`);

/** Whether one may join a line now; who may not is promised a place of its own. One round trip. */
export async function askForRoom(space: QueueSpace, request: RoomRequest): Promise<RoomAnswer> {
  const { identity, flow, line, others } = request;
  const amount = Math.max(1, Math.round(request.amount));
  const { levelMs, limitMs, keptMs, targetMs, lowMs, msPerUnit } = request;
  const numbers = [levelMs, limitMs, keptMs, targetMs, lowMs, msPerUnit, others.heavy, others.light];
  const [kind, waitMs] = (await script(space.client, keysOf(space), [
    `${space.key("promises", "of")}:`,
    identity,
    flow,
    amount,
    line,
    ...numbers,
  ])) as [RoomAnswer["kind"], number];
  return kind === "kept" || kind === "room" ? { kind } : { kind, waitMs };
}
