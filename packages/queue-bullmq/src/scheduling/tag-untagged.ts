import { inferenceJobSchema } from "@forebay/queue-contracts";
import { estimateJob, scorePerTag, tagFloor, ticksPerMs } from "@forebay/scheduling";
import { parseJson } from "../redis/parse-json.ts";
import type { QueueSpace } from "../queues/queue-space.ts";
import { createLuaScript } from "../redis/lua.ts";
import { fairKeys, shareOf } from "./fair-keys.ts";
import { fairLua } from "./fair-lua.ts";

/** As many are tagged in one go: their payloads are read for it. */
const batchMax = 50;

// Ids that stand below the floor, and the newest of `wait` without a share: put by BullMQ's own add, or due after a
// delay. Those a dead worker left in `wait` have their share, and stay first.
// KEYS: prioritized, wait. ARGV: key of a job without its id, most.
const findUntagged = createLuaScript(`
local found = redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", "(${tagFloor * scorePerTag}", "LIMIT", 0, ARGV[2])
for _, id in ipairs(redis.call("LRANGE", KEYS[2], 0, ARGV[2] - 1)) do found[#found + 1] = id end
local untagged = {}
for _, id in ipairs(found) do
  local fields = redis.call("HMGET", ARGV[1] .. id, "share", "data")
  if not fields[1] and fields[2] then
    untagged[#untagged + 1] = id
    untagged[#untagged + 1] = fields[2]
  end
end
return untagged
`);

// KEYS: prioritized, wait, priority counter, the two of fair shares. ARGV: prefix with a colon, queue, then of each job:
// id, flow, tenant, cost (ticks), user.
const giveTags = createLuaScript(`
${fairLua("KEYS[4]", "KEYS[5]")}
local root, queue, tagged = ARGV[1], ARGV[2], 0
for i = 3, #ARGV, 5 do
  local id, flow, cost = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 3])
  local key = root .. queue .. ":" .. id
  local here = redis.call("ZREM", KEYS[1], id) + redis.call("LREM", KEYS[2], 0, id)
  -- Otherwise somebody was quicker: a worker took it, or another one tagged it.
  if here > 0 and redis.call("HEXISTS", key, "share") == 0 then
    local weight = weight_of(flow, ARGV[i + 2], "", "")
    local tag, offset = take_place(virtual_time(queue, redis.call("ZCARD", KEYS[1])), flow, cost, weight)
    local share = { flow = flow, weight = weight, cost = cost, charged = cost }
    local score = tag * score_per_tag + redis.call("INCR", KEYS[3]) % score_per_tag
    place_job(root, queue, id, score, offset, share)
    add_work(queue, cost)
    join_users(flow, ARGV[i + 4], cost, queue .. " " .. id)
    tagged = tagged + 1
  end
end
if tagged > 0 then prepare_head(root, queue) end
return tagged
`);

/**
 * Gives jobs a place that have none yet: those put straight with BullMQ, and those whose delay is over. A payload
 * that does not parse is left where it is, at the front: whoever takes it says so at once.
 *
 * @returns how many got one; there may be more
 */
export async function tagUntagged(space: QueueSpace, queueName: string): Promise<number> {
  const key = (part: string): string => space.jobKey(queueName, part);
  const { client } = space;
  const reply = await findUntagged(client, [key("prioritized"), key("wait")], [key(""), batchMax]);
  const found = reply as string[];
  const jobs: (string | number)[] = [];
  for (let i = 0; i + 1 < found.length; i += 2) {
    const job = inferenceJobSchema.safeParse(parseJson(found[i + 1])).data;
    if (!job) continue;
    const { flow, user } = shareOf(job);
    const cost = Math.max(1, Math.round(estimateJob(job).costMs * ticksPerMs));
    jobs.push(found[i] ?? "", flow, job.tenant, cost, user);
  }
  if (jobs.length === 0) return 0;
  const { fair, flows } = fairKeys(space);
  const keys = [key("prioritized"), key("wait"), key("pc"), fair, flows];
  return Number(await giveTags(client, keys, [`${space.prefix}:`, queueName, ...jobs]));
}
