import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { fairKeys } from "./fair-keys.ts";
import { heldKey } from "./running-keys.ts";

// Virtual time moves on to the end of all flows instead of back to nothing: a job that comes back with an old tag
// still comes before new ones. KEYS: the two of fair shares, what is held, then
// prioritized, wait and active of each queue.
const script = createLuaScript(`
for i = 3, #KEYS do
  if redis.call("EXISTS", KEYS[i]) == 1 then return 0 end
end
local fields = redis.call("HGETALL", KEYS[2])
if #fields == 0 then return 1 end
local latest = tonumber(redis.call("HGET", KEYS[1], "v")) or 0
for i = 1, #fields, 2 do
  if fields[i]:sub(1, 2) == "f:" then latest = math.max(latest, tonumber(fields[i + 1])) end
end
redis.call("DEL", KEYS[2])
redis.call("HSET", KEYS[1], "v", string.format("%.0f", math.ceil(latest)))
for _, field in ipairs(redis.call("HKEYS", KEYS[1])) do
  if field:sub(1, 2) == "v:" or field:sub(1, 2) == "w:" then redis.call("HDEL", KEYS[1], field) end
end
return 1
`);

/**
 * Forgets who used how much, when nothing waits or runs on any of these queues, which must be all. For a loop that
 * comes by every few seconds; false: something waits or runs.
 */
export async function resetWhenIdle(space: QueueSpace, queueNames: readonly string[]): Promise<boolean> {
  const { fair, flows } = fairKeys(space);
  const queues = queueNames.flatMap((name) =>
    ["prioritized", "wait", "active"].map((part) => space.jobKey(name, part)),
  );
  return (await script(space.client, [fair, flows, heldKey(space), ...queues], [])) === 1;
}
