import { createLuaScript } from "../redis/lua.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { deadLetterKeys, deadLetterStates } from "./dead-letter-keys.ts";

/** How long an erased letter cannot be written again by a sweep that had already read its job. Seconds. */
const erasedMemoryS = 300;

// KEYS: letter, tombstone, then every set that may name it. ARGV: id, action, how long the tombstone stands.
// Returns what it returned the first time, so that an action that is done again counts the same.
const eraseScript = createLuaScript(`
local before = redis.call("GET", KEYS[2])
local existed = redis.call("EXISTS", KEYS[1])
if before == ARGV[2] .. " 1" then existed = 1 end
redis.call("SET", KEYS[2], ARGV[2] .. " " .. existed, "EX", ARGV[3])
redis.call("UNLINK", KEYS[1])
for index = 3, #KEYS do redis.call("ZREM", KEYS[index], ARGV[1]) end
return existed
`);

/** Removes a letter, the payload in it, and all that names it. */
export async function eraseLetter(
  space: QueueSpace,
  id: string,
  actionId: string,
): Promise<"erased" | "missing"> {
  const keys = deadLetterKeys(space);
  const sets = [keys.byTime, keys.failed, keys.due, ...deadLetterStates.map(keys.inState)];
  const reply = await eraseScript(
    space.client,
    [keys.letter(id), keys.erased(id), ...sets],
    [id, actionId, erasedMemoryS],
  );
  return reply === 1 ? "erased" : "missing";
}

// KEYS: by-time, then every other set that may name a letter. ARGV: key of a letter without its id, time
// before which (ms), how many at most.
const expireScript = createLuaScript(`
local ids = redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", "(" .. ARGV[2], "LIMIT", 0, ARGV[3])
for _, id in ipairs(ids) do
  redis.call("UNLINK", ARGV[1] .. id)
  for index = 1, #KEYS do redis.call("ZREM", KEYS[index], id) end
end
return #ids
`);

/** Removes letters that last failed before `beforeMs`; at most `limit`. Returns how many. */
export async function expireLetters(space: QueueSpace, beforeMs: number, limit: number): Promise<number> {
  const keys = deadLetterKeys(space);
  const sets = [keys.byTime, keys.failed, keys.due, ...deadLetterStates.map(keys.inState)];
  return Number(await expireScript(space.client, sets, [keys.letter(""), beforeMs, limit]));
}
