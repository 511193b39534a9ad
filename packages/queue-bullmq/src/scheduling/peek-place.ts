import type { InferenceJob } from "@forebay/queue-contracts";
import { type JobEstimate, type LaneWeights, ticksPerMs } from "@forebay/scheduling";
import { tenantKeys } from "../jobs/tenant-index.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { fairKeys, shareOf } from "./fair-keys.ts";
import { fairLua } from "./fair-lua.ts";
import {
  limitArgs,
  type LimitLeft,
  type LimitRow,
  limitsKey,
  parseLimits,
  type RateLimits,
} from "./limits.ts";
import { limitsLua } from "./limits-lua.ts";
import type { LimitStanding } from "./limit-standing.ts";

// KEYS: prioritized, wait, open jobs of the tenant, its limits, the two of fair shares. ARGV: queue, flow, tenant, its lane's
// and its tenant's weight ("" = as noted), cost (ticks), user, tokens, the three limits, how many of the tenant may run at
// once ("" = any number), prefix with a colon. Writes nothing.
const script = createLuaScript(`
${fairLua("KEYS[5]", "KEYS[6]")}
${limitsLua}
local flow, cost = ARGV[2], tonumber(ARGV[6])
local weight = weight_of(flow, ARGV[3], ARGV[4], ARGV[5], true)
local waiting = redis.call("ZCARD", KEYS[1])
local now = virtual_time(ARGV[1], waiting)
local state = redis.call("HMGET", KEYS[6], "f:" .. flow, "s:" .. flow)
local ends = math.max(now, tonumber(state[1]) or 0)
local tag = math.floor(ends + cost / weight / 2)
if state[2] then
  local turns, users = users_keys(flow)
  local times = redis.call("HMGET", users, "now", "user:" .. ARGV[7])
  local turn = math.max(tonumber(times[1]) or 0, tonumber(times[2]) or 0)
  local before = redis.call("ZCOUNT", turns, "-inf", turn)
  tag = math.floor(now + (ends + cost / weight - now) * (before + 0.5) / (redis.call("ZCARD", turns) + 1))
end
local ahead = redis.call("LLEN", KEYS[2])
  + redis.call("ZCOUNT", KEYS[1], "-inf", "(" .. number_text((tag + 1) * score_per_tag))
local met, wait, left = check_limits(KEYS[4], { ARGV[9], ARGV[10], ARGV[11] }, tonumber(ARGV[8]), false)
local max, open, standing = tonumber(ARGV[12]), redis.call("ZCARD", KEYS[3]), ""
local running = max and redis.call("ZCARD", ARGV[13] .. "running:of:" .. ARGV[3])
if max and running >= max then standing = "met" elseif max and open >= max then standing = "ahead" end
return { ahead, string.format("%.0f", tag), open, met or "", wait, left, running or 0, standing }
`);

/** What a job would meet that is not put. */
export type PlacePeek = {
  /** Jobs of its queue that would run before it. */ readonly ahead: number;
  readonly tag: number;
  /** Jobs of its tenant that are not finished. */ readonly open: number;
  /** The limit over time it would not pass, and how many ms until it would. */
  readonly met: { readonly name: LimitLeft["name"]; readonly waitMs: number } | undefined;
  /** Of each limit over time, what would be left after it. */ readonly left: LimitLeft[];
  /** Jobs of its tenant that run, if that is limited. */ readonly running: number;
  readonly standing: LimitStanding;
};

/** Where a job would stand if it were put now. Nothing is written. */
export async function peekPlace(
  space: QueueSpace,
  at: {
    queueName: string;
    job: InferenceJob;
    estimate: JobEstimate;
    weight?: number | undefined;
    laneWeights?: LaneWeights | undefined;
    limits?: RateLimits | undefined;
    runningMax?: number | null | undefined;
  },
): Promise<PlacePeek> {
  const { queueName, job, estimate } = at;
  const { fair, flows } = fairKeys(space);
  const { flow, user } = shareOf(job);
  const keys = [
    space.jobKey(queueName, "prioritized"),
    space.jobKey(queueName, "wait"),
    tenantKeys(space, job.tenant).open,
    limitsKey(space, job.tenant),
    fair,
    flows,
  ];
  const [ahead, tag, open, met, waitMs, left, running, standing] = (await script(space.client, keys, [
    queueName,
    flow,
    job.tenant,
    at.laneWeights?.[job.lane] ?? "",
    at.weight ?? "",
    Math.max(1, Math.round(estimate.costMs * ticksPerMs)),
    user,
    estimate.promptTokens + estimate.outputTokens,
    ...limitArgs(at.limits),
    at.runningMax ?? "",
    `${space.prefix}:`,
  ])) as PeekReply;
  return {
    ahead,
    tag: Number(tag),
    open,
    met: met === "" ? undefined : { name: met, waitMs },
    left: parseLimits(left),
    running,
    standing,
  };
}

type PeekReply = [
  ahead: number,
  tag: string,
  open: number,
  met: LimitLeft["name"] | "",
  waitMs: number,
  left: LimitRow[],
  running: number,
  standing: LimitStanding,
];
