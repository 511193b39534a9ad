import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { fairKeys } from "./fair-keys.ts";
import { fairLua } from "./fair-lua.ts";
import { type LimitStanding, limitStandingLua } from "./limit-standing.ts";

// KEYS: prioritized, wait, job, the two of fair shares. ARGV: id, queue, prefix with a colon.
const script = createLuaScript(`
local score = redis.call("ZSCORE", KEYS[1], ARGV[1])
if not score then return false end
${fairLua("KEYS[4]", "KEYS[5]")}
local rank, tag = place_of(KEYS[1], KEYS[3], ARGV[2], ARGV[1], tonumber(score))
${limitStandingLua}
local standing = limit_standing(ARGV[3], redis.call("HGET", KEYS[3], "share"))
return { redis.call("LLEN", KEYS[2]) + rank, string.format("%.0f", tag), standing }
`);

/**
 * How many jobs of its queue run before a waiting job, its tag, and how its tenant's limit bears on it, without its
 * payload; undefined: it does not wait, or is held.
 */
export async function readPlace(
  space: QueueSpace,
  { id, queueName }: { id: string; queueName: string },
): Promise<{ ahead: number; tag: number; standing: LimitStanding } | undefined> {
  const { fair, flows } = fairKeys(space);
  const keys = ["prioritized", "wait", id].map((part) => space.jobKey(queueName, part));
  const reply = (await script(space.client, [...keys, fair, flows], [id, queueName, `${space.prefix}:`])) as
    | [number, string, LimitStanding]
    | null;
  return reply ? { ahead: reply[0], tag: Number(reply[1]), standing: reply[2] } : undefined;
}
