import { createRequire } from "node:module";
import { createLuaScript } from "../redis/lua.ts";
import { limitsLua } from "../scheduling/limits-lua.ts";
import { fairLua } from "../scheduling/fair-lua.ts";
import { limitStandingLua } from "../scheduling/limit-standing.ts";
import { runningLua } from "../scheduling/running-lua.ts";

// BullMQ ships its scripts without types. The number in a file's name is how many keys it wants: a version
// that wants others has no such file, and nothing starts.
type ScriptFile<Name extends string> = Readonly<Record<Name, { readonly content: string }>>;
const load = createRequire(import.meta.url);
const { addDelayedJob } = load("bullmq/dist/cjs/scripts/addDelayedJob-6.js") as ScriptFile<"addDelayedJob">;

/**
 * Everything that belongs to jobs being put, as one script: the idempotency key, the tenant's limit, the
 * tenant's index, the start deadline, and BullMQ's own script that adds it. In one go nothing can come between,
 * and one short command is all it costs; `queue.add` alone costs a producer more than the rest of its request.
 * Jobs of one flow for one queue come together: what they have in common is read and written once. Each has an
 * outcome of its own, and meets what those before it left.
 *
 * For a job that may start at once BullMQ's part is written out: its own script can do much more and costs Redis
 * several times as much. Tests compare what both leave behind, events of the queue's stream apart: `added` and
 * `waiting` nobody reads, and they cost Redis as much as the job. Delayed jobs are rare and go through BullMQ's source.
 * The priority of a job that may start at once is its start tag, asked for here; a delayed one gets its tag when
 * it is due (`tag-untagged.ts`, or with its field `later`, `running-lua.ts`).
 * KEYS: `addKeyParts` of the queue, then the tenant's open and ended jobs, the deadlines, the two of fair shares,
 * the tenant's limits.
 * ARGV: key of a job without its id, key of a claim without its digest, name, attempts, priority of a delayed job,
 * delay (ms), most jobs the tenant may have open ("" = any number), how long a claim is remembered (s), flow, its
 * tenant, its lane's and its tenant's weight ("" = as noted), name of the queue, prefix with a colon, the three limits
 * over time ("" = none), how many jobs of the tenant may run at once ("" = any number, "?" = as noted). Then of each
 * job: id, payload, now (ms), score in the index, cost (ticks), tokens, user ("" = none), start deadline (ms, "" =
 * none), digest of its idempotency key ("" = none), fingerprint.
 * Returns a list as JSON, of each job { "added", jobs before it, its tag, what is left, how its tenant's limit of
 * running jobs bears on it }, { "limited", which, ms until there is room, what is left }, { "full", open jobs }, or
 * { "claimed", the earlier claim }.
 */
export const runAddScript = createLuaScript(
  `
local function addDelayed(KEYS, ARGV)
${addDelayedJob.content}
end
local job_root, claim_root, name, attempts, priority, delay = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local open_max, flow, queue = tonumber(ARGV[7]), ARGV[9], ARGV[13]
local limits = { ARGV[15], ARGV[16], ARGV[17] }
local limited = limits[1] ~= "" or limits[2] ~= "" or limits[3] ~= ""
local jobs, job_keys, claim_keys = {}, {}, {}
for i = 19, #ARGV, 10 do
  local job = { id = ARGV[i], key = job_root .. ARGV[i], payload = ARGV[i + 1], now = ARGV[i + 2], score = ARGV[i + 3],
    cost = tonumber(ARGV[i + 4]), tokens = tonumber(ARGV[i + 5]), user = ARGV[i + 6], start_by = ARGV[i + 7] }
  if ARGV[i + 8] ~= "" then
    job.claim_key, job.claim = claim_root .. ARGV[i + 8], ARGV[i] .. ARGV[i + 9]
    claim_keys[#claim_keys + 1] = job.claim_key
  end
  jobs[#jobs + 1] = job
  job_keys[#job_keys + 1] = job.key
end

-- What becomes of each.
local some_there = redis.call("EXISTS", unpack(job_keys)) > 0
local claimed = {}
if #claim_keys > 0 then
  for i, claim in ipairs(redis.call("MGET", unpack(claim_keys))) do claimed[claim_keys[i]] = claim end
end
local open = open_max and redis.call("ZCARD", KEYS[10])
local replies, taken, there = {}, {}, {}
for i, job in ipairs(jobs) do
  -- A connection that broke repeats its commands: what was done is not refused the second time.
  local again = there[job.id] or some_there and redis.call("EXISTS", job.key) == 1
  local earlier = job.claim and claimed[job.claim_key]
  local met, wait
  if earlier and earlier ~= job.claim then replies[i] = { "claimed", earlier }
  elseif not again and open_max and open >= open_max then replies[i] = { "full", open }
  else
    if limited and not again then met, wait, job.left = check_limits(KEYS[15], limits, job.tokens, true) end
    if met then replies[i] = { "limited", met, wait, job.left }
    else
      if job.claim then
        redis.call("SET", job.claim_key, job.claim, "EX", ARGV[8])
        claimed[job.claim_key] = job.claim
      end
      if not again then
        if open then open = open + 1 end
        there[job.id] = true
        taken[#taken + 1] = job
      end
    end
  end
end

local function put_later()
  for _, job in ipairs(taken) do
    local args = cmsgpack.pack({ job_root, job.id, name, tonumber(job.now) })
    local opts = { attempts = tonumber(attempts), priority = tonumber(priority), delay = delay }
    addDelayed({ KEYS[1], KEYS[2], KEYS[3], KEYS[5], KEYS[6], KEYS[8] }, { args, job.payload, cmsgpack.pack(opts) })
    redis.call("HSET", job.key, "later", string.format("%s %d %s", flow, job.cost, job.user))
    job.ahead, job.tag_text = 0, "0"
  end
end

local function put_now()
  local costs, work = {}, 0
  for i, job in ipairs(taken) do
    costs[i] = job.cost
    work = work + job.cost
  end
  local weight = weight_of(flow, ARGV[10], ARGV[11], ARGV[12])
  local waiting, first = redis.call("ZCARD", KEYS[4]), redis.call("LLEN", job_root .. "wait")
  local tags, offset = take_places(virtual_time(queue, waiting), flow, costs, weight)
  redis.call("INCRBY", KEYS[3], #taken)
  local counter = redis.call("INCRBY", KEYS[9], #taken) - #taken
  local last = waiting > 0 and tonumber(redis.call("ZRANGE", KEYS[4], -1, -1, "WITHSCORES")[2])
  local entries = {}
  for i, job in ipairs(taken) do
    local tag = tags[i]
    job.tag_text = string.format("%.0f", tag)
    redis.call("HSET", job.key, "name", name, "data", job.payload, "timestamp", job.now, "delay", "0",
      "priority", job.tag_text, "opts", '{"attempts":' .. attempts .. ',"priority":' .. job.tag_text .. '}', "share",
      share_text({ flow = flow, weight = weight, cost = job.cost, charged = job.cost, offset = offset }))
    -- Mostly behind all others: that need not be counted.
    local before = 0
    if last and last < (tag + 1) * score_per_tag then before = waiting
    elseif last then before = redis.call("ZCOUNT", KEYS[4], "-inf", "(" .. number_text((tag + 1) * score_per_tag)) end
    job.ahead = first + before + i - 1
    job.place = tag * score_per_tag + (counter + i) % score_per_tag
    entries[2 * i - 1], entries[2 * i] = number_text(job.place), job.id
  end
  redis.call("ZADD", KEYS[4], unpack(entries))
  add_work(queue, work)
  local joined = {}
  local divided = redis.call("HEXISTS", KEYS[14], "s:" .. flow) == 1
  for _, job in ipairs(taken) do
    divided = divided or job.user ~= ""
    if divided and join_users(flow, job.user, job.cost, queue .. " " .. job.id) then joined[#joined + 1] = job end
  end
  if #joined > 0 then prepare_head(ARGV[14], queue) end
  for _, job in ipairs(joined) do
    local tag
    job.ahead, tag = place_of(KEYS[4], job.key, queue, job.id, job.place)
    job.tag_text = string.format("%.0f", tag)
  end
  -- The marker wakes a worker that waits; nobody may take a job of a queue that is paused or runs all it may.
  local meta = redis.call("HMGET", KEYS[2], "paused", "concurrency")
  local maxed = meta[2] and redis.call("LLEN", KEYS[7]) >= tonumber(meta[2])
  if not meta[1] and not maxed then redis.call("ZADD", KEYS[1], 0, "0") end
end

if ARGV[18] ~= "?" and ARGV[18] ~= (redis.call("HGET", ARGV[14] .. "running", ARGV[10]) or "") then
  ${runningLua("KEYS[13]")}
  open_running(ARGV[14]).set_limit(ARGV[10], ARGV[18])
end
if #taken > 0 then
  local indexed, ids = {}, {}
  for i, job in ipairs(taken) do
    ids[i], indexed[2 * i - 1], indexed[2 * i] = job.id, job.score, job.id
    if job.start_by ~= "" then redis.call("ZADD", KEYS[12], job.start_by, job.id) end
  end
  redis.call("ZADD", KEYS[10], unpack(indexed))
  redis.call("ZREM", KEYS[11], unpack(ids))
  if delay > 0 then put_later() else put_now() end
end
${limitStandingLua}
local standing = #taken > 0 and ARGV[18] ~= "" and limit_standing(ARGV[14], flow .. " ") or ""
for i, job in ipairs(jobs) do
  if job.tag_text then
    if limited then note_quota(job.key, KEYS[15], limits, job.tokens) end
    replies[i] = { "added", job.ahead, job.tag_text, limited and job.left or cjson.null, standing }
  elseif not replies[i] then
    local rank = redis.call("ZRANK", KEYS[4], job.id)
    local tag = redis.call("HGET", job.key, "priority") or "0"
    replies[i] = { "added", rank and rank + redis.call("LLEN", job_root .. "wait") or 0, tag }
  end
end
return cjson.encode(replies)
`,
  fairLua("KEYS[13]", "KEYS[14]") + limitsLua,
);

/** BullMQ's keys the script needs, in its order. */
export const addKeyParts = [
  "marker",
  "meta",
  "id",
  "prioritized",
  "delayed",
  "completed",
  "active",
  "events",
  "pc",
] as const;
