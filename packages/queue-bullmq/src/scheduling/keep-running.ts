import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { fairKeys } from "./fair-keys.ts";
import { fairLua } from "./fair-lua.ts";
import { runningLua } from "./running-lua.ts";

// KEYS: the two of fair shares. ARGV: prefix with a colon, names of queues. Returns 1 when there is more to do.
const script = createLuaScript(`
local root = ARGV[1]
if redis.call("EXISTS", root .. "running", root .. "held") == 0 then return 0 end
${fairLua("KEYS[1]", "KEYS[2]")}
${runningLua("KEYS[1]")}
local running = open_running(root)
for i = 2, #ARGV do
  for _, id in ipairs(redis.call("LRANGE", root .. ARGV[i] .. ":active", 0, -1)) do
    local key = root .. ARGV[i] .. ":" .. id
    if redis.call("EXISTS", key .. ":lock") == 1 then
      local fields = redis.call("HMGET", key, "share", "starts")
      -- Between the end of a start and the move of its job, which are two steps unless it completed, it does not run.
      local ended = string.match(fields[2] or "", '{"end":[^\\n]*\\n$')
      if not ended then running.enter(ARGV[i], id, fields[1]) end
    end
  end
end
return running.sweep() and 1 or 0
`);

/** Jobs a tenant that has no limit any more still holds go on in steps; so many at a time at most. */
const stepsMax = 100;

/**
 * Makes good what limits of running jobs missed: counts jobs that ran before their tenant had a limit, forgets those
 * whose worker died, and lets go whom nobody else did. For a loop that comes by every few seconds.
 *
 * @param queueNames all queues
 */
export async function keepRunning(space: QueueSpace, queueNames: readonly string[]): Promise<void> {
  const { fair, flows } = fairKeys(space);
  const args = [`${space.prefix}:`, ...queueNames];
  for (let step = 0; step < stepsMax; step++) {
    if ((await script(space.client, [fair, flows], args)) !== 1) return;
  }
}
