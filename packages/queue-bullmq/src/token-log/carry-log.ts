import type { JobState } from "@forebay/queue-contracts";
import { createLuaScript } from "../redis/lua.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { liveChannel } from "./live-channel.ts";
import { logKey } from "./log-entry.ts";
import { logLua } from "./log-lua.ts";

// KEYS: job, its log. ARGV: the old log as DUMP gives it ("" = none), the state the job ended in, now in ms, "1" if
// tokens of it were seen, a number above all that were given out, channel. Does nothing once the job is there.
const carry = createLuaScript(`
if redis.call("EXISTS", KEYS[1]) == 1 then return 0 end
redis.call("DEL", KEYS[2])
if ARGV[1] ~= "" then redis.call("RESTORE", KEYS[2], 0, ARGV[1]) end
${logLua("KEYS[2]")}
skip_to(tonumber(ARGV[5]))
reopen(ARGV[2], ARGV[3], ARGV[4] == "1")
publish(ARGV[6])
return 1
`);

/**
 * Prepares the log of a job that ended and is about to be added again, on whatever queue: its numbers go on where
 * readers have them from.
 *
 * @param old where the job still is; undefined: it has aged out, and its log with it
 */
export async function carryLog(
  space: QueueSpace,
  id: string,
  to: string,
  state: JobState,
  old: { queueName: string; partial: boolean } | undefined,
): Promise<void> {
  const dump = old && (await space.client.dumpBuffer(logKey(space.jobKey(old.queueName, id))));
  const nowMs = Date.now();
  // No log has as many entries as seconds have passed since 1970, and the next time it will be later.
  const above = old ? 0 : Math.floor(nowMs / 1_000);
  const jobKey = space.jobKey(to, id);
  const args = [dump ?? "", state, nowMs, !old || old.partial ? "1" : "0", above, liveChannel(space, id)];
  await carry(space.client, [jobKey, logKey(jobKey)], args);
}
