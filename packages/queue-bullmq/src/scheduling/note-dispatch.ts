import { type InferenceJob, inferenceJobSchema, type Lane } from "@forebay/queue-contracts";
import { defaultLaneWeights, estimateJob, ticksPerMs } from "@forebay/scheduling";
import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { fairKeys, flowOf } from "./fair-keys.ts";
import { fairLua } from "./fair-lua.ts";

// KEYS: the two of fair shares. ARGV: prefix with a colon, queue, id, then for a job without a tag: flow, tenant,
// lane's weight, cost (ticks).
const script = createLuaScript(`
${fairLua("KEYS[1]", "KEYS[2]")}
local root, queue, id = ARGV[1], ARGV[2], ARGV[3]
local key = root .. queue .. ":" .. id
local fields = redis.call("HMGET", key, "priority", "share", "eta")
local tag, share = tonumber(fields[1]) or 0, parse_share(fields[2])
if not share and ARGV[4] then
  -- It ran before anybody could give it a tag; its flow is charged all the same.
  local weight, cost = tonumber(ARGV[6]) * note_weight(ARGV[5], ""), tonumber(ARGV[7])
  local offset
  tag, offset = take_place(virtual_time(queue, 0), ARGV[4], cost, weight)
  write_share(key, { flow = ARGV[4], weight = weight, cost = cost, charged = cost, offset = offset })
  redis.call("HSET", key, "priority", string.format("%.0f", tag))
elseif share then
  -- Virtual time is where the job taken last begins; its tag is the middle.
  local start = math.floor(tag - share.cost / share.weight / 2)
  local v = redis.call("HMGET", KEYS[1], "v", "v:" .. queue)
  if start > (tonumber(v[1]) or 0) then redis.call("HSET", KEYS[1], "v", string.format("%.0f", start)) end
  if start > (tonumber(v[2]) or 0) then redis.call("HSET", KEYS[1], "v:" .. queue, string.format("%.0f", start)) end
  leave_users(share.flow, queue .. " " .. id)
end
if redis.call("EXISTS", root .. queue .. ":prioritized") == 0 then
  -- Whatever was counted wrong, by jobs removed behind our back, ends here.
  redis.call("HDEL", KEYS[1], "w:" .. queue)
else
  if share then add_work(queue, -share.cost) end
  prepare_head(root, queue)
end
return { fields[2] or "", fields[3] or "" }
`);

/** What was foretold of a job. */
export type Forecast = {
  /** Milliseconds it would hold a slot. */ readonly costMs: number | undefined;
  /** The range of its start, ms since 1970 by the clock of whoever foretold it, and the point in it. */
  readonly start: { readonly lowMs: number; readonly atMs: number; readonly highMs: number } | undefined;
};

/** What a job without a tag is charged as. */
type Untagged = { readonly tenant: string; readonly lane: Lane; readonly costMs: number };

/**
 * Notes that a job was taken from its queue: virtual time moves to its tag, and the queue's next head is made
 * the one that should run next. Harmless when repeated.
 */
export async function noteDispatch(
  space: QueueSpace,
  job: { id: string; queueName: string },
  untagged?: Untagged,
): Promise<Forecast> {
  const { fair, flows } = fairKeys(space);
  const reply = (await script(
    space.client,
    [fair, flows],
    [`${space.prefix}:`, job.queueName, job.id, ...(untagged ? chargeOf(untagged) : [])],
  )) as [string, string];
  return parseForecast(...reply);
}

function parseForecast(share: string, eta: string): Forecast {
  const cost = Number(share.split(" ")[2]);
  const [lowMs, atMs, highMs] = eta.split(" ").map(Number);
  const foretold = lowMs !== undefined && atMs !== undefined && highMs !== undefined;
  return {
    costMs: Number.isFinite(cost) ? cost / ticksPerMs : undefined,
    start: foretold ? { lowMs, atMs, highMs } : undefined,
  };
}

function chargeOf({ tenant, lane, costMs }: Untagged): (string | number)[] {
  return [flowOf(tenant, lane), tenant, defaultLaneWeights[lane], Math.round(costMs * ticksPerMs)];
}

/** What to charge for a job that somebody put without a tag; a payload that does not parse costs nobody anything. */
export function untaggedShare(payload: unknown): Untagged | undefined {
  const job = inferenceJobSchema.safeParse(payload).data satisfies InferenceJob | undefined;
  return job && { tenant: job.tenant, lane: job.lane, costMs: estimateJob(job).costMs };
}
