import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { fairKeys } from "./fair-keys.ts";
import { fairLua } from "./fair-lua.ts";

// KEYS: prioritized, wait, job, the two of fair shares. ARGV: id, queue.
const script = createLuaScript(`
local score = redis.call("ZSCORE", KEYS[1], ARGV[1])
if not score then return false end
${fairLua("KEYS[4]", "KEYS[5]")}
local rank, tag = place_of(KEYS[1], KEYS[3], ARGV[2], ARGV[1], tonumber(score))
return { redis.call("LLEN", KEYS[2]) + rank, string.format("%.0f", tag) }
`);

/** How many jobs of its queue run before a waiting job, and its tag, without its payload; undefined: it does not wait. */
export async function readPlace(
  space: QueueSpace,
  { id, queueName }: { id: string; queueName: string },
): Promise<{ ahead: number; tag: number } | undefined> {
  const { fair, flows } = fairKeys(space);
  const keys = ["prioritized", "wait", id].map((part) => space.jobKey(queueName, part));
  const reply = (await script(space.client, [...keys, fair, flows], [id, queueName])) as
    | [number, string]
    | null;
  return reply ? { ahead: reply[0], tag: Number(reply[1]) } : undefined;
}
