import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { fairKeys } from "./fair-keys.ts";
import { limitsLua } from "./limits-lua.ts";
import { fairLua } from "./fair-lua.ts";
import { runningLua } from "./running-lua.ts";

// KEYS: prioritized, job, the two of fair shares. ARGV: id, queue, prefix with a colon.
const script = createLuaScript(`
local held = redis.call("HGET", KEYS[2], "held")
if not held and not redis.call("ZSCORE", KEYS[1], ARGV[1]) then return 0 end
${fairLua("KEYS[3]", "KEYS[4]")}
${runningLua("KEYS[3]")}
if held then open_running(ARGV[3]).unhold(ARGV[2], ARGV[1], redis.call("HGET", KEYS[2], "share")) end
${limitsLua}
give_back(KEYS[2], ARGV[2])
settle_quota(KEYS[2], 0)
return 1
`);

/** Gives a waiting job's flow back what the job asked for: it is about to be removed. Should it run all the same, it is charged then. */
export async function giveBackShare(
  space: QueueSpace,
  { id, queueName }: { id: string; queueName: string },
): Promise<void> {
  const { fair, flows } = fairKeys(space);
  const job = space.jobKey(queueName, id);
  const keys = [space.jobKey(queueName, "prioritized"), job, fair, flows];
  await script(space.client, keys, [id, queueName, `${space.prefix}:`]);
}
