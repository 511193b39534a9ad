import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { fairKeys } from "./fair-keys.ts";
import { fairLua } from "./fair-lua.ts";
import { runningLua } from "./running-lua.ts";

// KEYS: the two of fair shares. ARGV: prefix with a colon, tenant, limit ("" = none).
const script = createLuaScript(`
if (redis.call("HGET", ARGV[1] .. "running", ARGV[2]) or "") == ARGV[3] then return 0 end
${fairLua("KEYS[1]", "KEYS[2]")}
${runningLua("KEYS[1]")}
open_running(ARGV[1]).set_limit(ARGV[2], ARGV[3])
return 1
`);

/**
 * Notes how many jobs of a tenant may run at once; null: any number. Jobs that are held and may run now go on. Those
 * that run already are counted within seconds (`keepRunning`).
 */
export async function noteRunningMax(space: QueueSpace, tenant: string, max: number | null): Promise<void> {
  const { fair, flows } = fairKeys(space);
  await script(space.client, [fair, flows], [`${space.prefix}:`, tenant, max ?? ""]);
}
