import { type InferenceJob, inferenceJobSchema, type Lane } from "@forebay/queue-contracts";
import { estimateJob, ticksPerMs } from "@forebay/scheduling";
import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { etaKey, etaLua, type ForetoldStart } from "./eta-factors.ts";
import { fairKeys, flowOf } from "./fair-keys.ts";
import { fairLua } from "./fair-lua.ts";
import { runningLua } from "./running-lua.ts";

/**
 * Lua that notes that a job was taken from its queue, for scripts that have `fairLua`, `etaLua` and `runningLua`:
 * `note_taken(root, queue, id, known, running)` with its fields priority, share, eta, timestamp and held by name.
 * Returns what was foretold of its start and what became of it; "" when nothing was.
 */
export const takenLua = (eta: string): string => `
local function note_taken(root, queue, id, known, running)
  local tag, share = tonumber(known.priority) or 0, parse_share(known.share)
  if running and known.held then running.unhold(queue, id, known.share) end
  if running and share then running.enter(queue, id, known.share) end
  if share then leave_users(share.flow, queue .. " " .. id) end
  local is_last = not prepare_head(root, queue)
  -- Virtual time is where the job taken last begins; its tag is the middle.
  local start = share and math.floor(tag - share.cost / share.weight / 2)
  move_time(queue, start, share and share.cost or 0, is_last)
  local told = known.eta or ""
  if told ~= "" then told = learn_eta(${eta}, root .. queue .. ":" .. id, told, tonumber(known.timestamp)) end
  return told
end
`;

// KEYS: the two of fair shares, what is known of forecasts. ARGV: prefix with a colon, queue, id, then for a job without a tag: flow, tenant, cost (ticks).
const script = createLuaScript(`
${fairLua("KEYS[1]", "KEYS[2]")}
${etaLua}
${runningLua("KEYS[1]")}
${takenLua("KEYS[3]")}
local root, queue, id = ARGV[1], ARGV[2], ARGV[3]
local key = root .. queue .. ":" .. id
local fields = redis.call("HMGET", key, "priority", "share", "eta", "timestamp", "held")
local running = known_running(root)
local told = note_taken(root, queue, id,
  { priority = fields[1] or nil, share = fields[2] or nil, eta = fields[3] or nil, timestamp = fields[4] or nil,
    held = fields[5] or nil }, running)
if ARGV[4] and not parse_share(fields[2]) then
  -- It ran before anybody could give it a tag; its flow is charged all the same.
  local weight, cost = weight_of(ARGV[4], ARGV[5], "", ""), tonumber(ARGV[6])
  local tag, offset = take_place(virtual_time(queue, 0), ARGV[4], cost, weight)
  write_share(key, { flow = ARGV[4], weight = weight, cost = cost, charged = cost, offset = offset })
  if running then running.enter(queue, id, redis.call("HGET", key, "share")) end
  redis.call("HSET", key, "priority", string.format("%.0f", tag))
end
return { fields[2] or "", told }
`);

/** What was foretold of a job. */
export type Forecast = {
  /** Milliseconds it would hold a slot. */ readonly costMs: number | undefined;
  /** Its start, and when it was: milliseconds after it was put. Absent when it was started before. */
  readonly start: (ForetoldStart & { readonly tookMs: number }) | undefined;
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
    [fair, flows, etaKey(space)],
    [`${space.prefix}:`, job.queueName, job.id, ...(untagged ? chargeOf(untagged) : [])],
  )) as [string, string];
  return parseForecast(...reply);
}

/** From a job's field `share` and what `note_taken` returned; "" = nothing. */
export function parseForecast(share: string, eta: string): Forecast {
  const cost = Number(share.split(" ")[2]);
  const [plainMs = 0, lowMs = 0, highMs = 0, tookMs] = eta.split(" ").map(Number);
  return {
    costMs: Number.isFinite(cost) ? cost / ticksPerMs : undefined,
    start: tookMs === undefined ? undefined : { plainMs, lowMs, highMs, tookMs },
  };
}

function chargeOf({ tenant, lane, costMs }: Untagged): (string | number)[] {
  return [flowOf(tenant, lane), tenant, Math.round(costMs * ticksPerMs)];
}

/** What to charge for a job that somebody put without a tag; a payload that does not parse costs nobody anything. */
export function untaggedShare(payload: unknown): Untagged | undefined {
  const job = inferenceJobSchema.safeParse(payload).data satisfies InferenceJob | undefined;
  return job && { tenant: job.tenant, lane: job.lane, costMs: estimateJob(job).costMs };
}
