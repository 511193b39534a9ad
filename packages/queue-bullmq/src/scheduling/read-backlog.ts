import { canonicalModelName, type QueueEntry } from "@forebay/queue-contracts";
import { type QueueBacklog, tagOfScore, ticksPerMs } from "@forebay/scheduling";
import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { fairKeys } from "./fair-keys.ts";

// KEYS: hash of virtual time, then prioritized, wait and active of each queue. ARGV: their names. Returns of each that
// is not empty: its number, waiting, running, work (ticks), scores of the first and the last.
const script = createLuaScript(`
local all = {}
for i = 1, #ARGV do
  local prioritized, wait = KEYS[3 * i - 1], KEYS[3 * i]
  local ranked, plain = redis.call("ZCARD", prioritized), redis.call("LLEN", wait)
  local running = redis.call("LLEN", KEYS[3 * i + 1])
  if ranked + plain + running > 0 then
    local first = redis.call("ZRANGE", prioritized, 0, 0, "WITHSCORES")
    local last = redis.call("ZRANGE", prioritized, -1, -1, "WITHSCORES")
    all[#all + 1] = { i, ranked + plain, running, redis.call("HGET", KEYS[1], "w:" .. ARGV[i]) or "0", first[2] or "0",
      last[2] or "0" }
  end
end
return all
`);

/** Every queue on which something waits or runs. One round trip. */
export async function readBacklog(
  space: QueueSpace,
  entries: readonly Pick<QueueEntry, "name" | "model">[],
): Promise<QueueBacklog[]> {
  const parts = ["prioritized", "wait", "active"];
  const keys = entries.flatMap(({ name }) => parts.map((part) => space.jobKey(name, part)));
  const names = entries.map(({ name }) => name);
  const reply = await script(space.client, [fairKeys(space).fair, ...keys], names);
  const rows = reply as [number, number, number, string, string, string][];
  return rows.map(([index, waiting, running, work, first, last]) => {
    const { name = "", model = "" } = entries[index - 1] ?? {};
    return {
      name,
      model: canonicalModelName(model),
      waiting,
      running,
      workMs: Number(work) / ticksPerMs,
      headTag: tagOfScore(Number(first)),
      tailTag: tagOfScore(Number(last)),
    };
  });
}
