import { createLuaScript } from "../redis/lua.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { deadLetterKeys } from "./dead-letter-keys.ts";
import type { DeadLetterSummary } from "./dead-letter-summary.ts";
import { readSummaries } from "./read-dead-letter.ts";

/** Letters whose time to be redriven by policy has come, the longest due first; at most `limit`. */
export async function readDueLetters(
  space: QueueSpace,
  nowMs: number,
  limit: number,
): Promise<{ id: string; letter: DeadLetterSummary | undefined }[]> {
  const ids = await space.client.zrangebyscore(deadLetterKeys(space).due, "-inf", nowMs, "LIMIT", 0, limit);
  if (ids.length === 0) return [];
  const letters = await readSummaries(space, ids);
  return ids.map((id, index) => ({ id, letter: letters[index] }));
}

// KEYS: due. ARGV: time (ms), then ids. One that failed again meanwhile is due later, and stays.
const removeDue = createLuaScript(`
for index = 2, #ARGV do
  local score = redis.call("ZSCORE", KEYS[1], ARGV[index])
  if score and tonumber(score) <= tonumber(ARGV[1]) then redis.call("ZREM", KEYS[1], ARGV[index]) end
end
`);

/** Forgets that these were due at `nowMs`. */
export async function clearDueLetters(
  space: QueueSpace,
  nowMs: number,
  ids: readonly string[],
): Promise<void> {
  if (ids.length > 0) await removeDue(space.client, [deadLetterKeys(space).due], [nowMs, ...ids]);
}
