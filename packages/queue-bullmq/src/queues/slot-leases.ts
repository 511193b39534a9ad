import { createLuaScript } from "../redis/lua.ts";
import type { QueueSpace } from "./queue-space.ts";

/** Slots of one model on one host that a worker holds, or wants to. */
export type SlotLease = {
  readonly backend: string;
  readonly model: string;
  readonly worker: string;
  /** How many it wants to hold from now on, those it holds among them; 0 gives all back. */ readonly want: number;
  /** How many there are. */ readonly limit: number;
  readonly leaseMs: number;
};

// A hash: worker → "<slots> <until>". The clock is Redis's: those of the workers need not agree, and what a
// killed worker held is free when its lease ends.
// KEYS: the hash. ARGV: worker, want, limit, lease (ms). Returns how many it holds now.
const lease = createLuaScript(`
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call("HGETALL", KEYS[1])
local others = 0
for i = 1, #held, 2 do
  local slots, untilMs = string.match(held[i + 1], "^(%d+) (%d+)$")
  if not untilMs or tonumber(untilMs) <= now then redis.call("HDEL", KEYS[1], held[i])
  elseif held[i] ~= ARGV[1] then others = others + tonumber(slots) end
end
local granted = math.max(0, math.min(tonumber(ARGV[2]), tonumber(ARGV[3]) - others))
if granted == 0 then redis.call("HDEL", KEYS[1], ARGV[1])
else
  redis.call("HSET", KEYS[1], ARGV[1], string.format("%d %d", granted, now + tonumber(ARGV[4])))
  redis.call("PEXPIRE", KEYS[1], tonumber(ARGV[4]) * 2)
end
return granted
`);

/**
 * Takes, renews or gives back slots of a host, so that workers who share it stay within its slots together.
 *
 * @returns how many this worker holds until the lease ends
 */
export async function leaseSlots(space: QueueSpace, wanted: SlotLease): Promise<number> {
  const { backend, model, worker, want, limit, leaseMs } = wanted;
  const key = space.key("slots", backend, model);
  return Number(await lease(space.client, [key], [worker, want, limit, leaseMs]));
}
