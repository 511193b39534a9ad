import { createRequire } from "node:module";
import { createLuaScript } from "../redis/lua.ts";
import { limitsLua } from "../scheduling/limits-lua.ts";
import { fairLua } from "../scheduling/fair-lua.ts";

// BullMQ ships its scripts without types. The number in a file's name is how many keys it wants: a version
// that wants others has no such file, and nothing starts.
type ScriptFile<Name extends string> = Readonly<Record<Name, { readonly content: string }>>;
const load = createRequire(import.meta.url);
const { addDelayedJob } = load("bullmq/dist/cjs/scripts/addDelayedJob-6.js") as ScriptFile<"addDelayedJob">;

/**
 * Everything that belongs to a job being put, as one script: the idempotency key, the tenant's limit, the
 * tenant's index, the start deadline, and BullMQ's own script that adds it. In one go nothing can come between,
 * and one short command is all it costs; `queue.add` alone costs a producer more than the rest of its request.
 *
 * For a job that may start at once BullMQ's part is written out: its own script can do much more and costs Redis
 * twice as much. Tests compare what both leave behind. Delayed jobs are rare and go through BullMQ's source.
 * The priority of a job that may start at once is its start tag, asked for here; a delayed one gets its tag when
 * it is due (`tag-untagged.ts`).
 * KEYS: `addKeyParts` of the queue, then the tenant's open and ended jobs, the deadlines, the two of fair shares,
 * the tenant's limits, the idempotency key.
 * ARGV: id, key of a job without its id, name, now (ms), payload, attempts, priority of a delayed job, delay (ms),
 * score in the index, most jobs the tenant may have open ("" = any number), start deadline (ms, "" = none),
 * claim ("" = no idempotency key), how long the claim is remembered (s), flow, its tenant, its lane's and its
 * tenant's weight ("" = as noted), cost (ticks), user ("" = none), name of the queue, prefix with a colon, tokens, the three limits over time ("" = none).
 * Returns { "added", jobs before it, its tag, what is left }, { "limited", which, ms until there is room, what is left }, { "full", open jobs }, or { "claimed", the earlier claim }.
 */
export const runAddScript = createLuaScript(`
local function addDelayed(KEYS, ARGV)
${addDelayedJob.content}
end
${fairLua("KEYS[13]", "KEYS[14]")}
${limitsLua}
local id, now, delay, claim = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[8]), ARGV[12]
-- A connection that broke repeats its commands: what was done is not refused the second time.
local again = redis.call("EXISTS", ARGV[2] .. id) == 1
if claim ~= "" then
  local earlier = redis.call("GET", KEYS[16])
  if earlier and earlier ~= claim then return { "claimed", earlier } end
end
if ARGV[10] ~= "" and not again then
  local open = redis.call("ZCARD", KEYS[10])
  if open >= tonumber(ARGV[10]) then return { "full", open } end
end
local limits, left = { ARGV[23], ARGV[24], ARGV[25] }, {}
local limited = ARGV[23] ~= "" or ARGV[24] ~= "" or ARGV[25] ~= ""
if limited and not again then
  local met, wait
  met, wait, left = check_limits(KEYS[15], limits, tonumber(ARGV[22]), true)
  if met then return { "limited", met, wait, left } end
end
if claim ~= "" then redis.call("SET", KEYS[16], claim, "EX", ARGV[13]) end
if again then
  local rank = redis.call("ZRANK", KEYS[4], id)
  local tag = redis.call("HGET", ARGV[2] .. id, "priority") or "0"
  return { "added", rank and rank + redis.call("LLEN", ARGV[2] .. "wait") or 0, tag }
end
redis.call("ZADD", KEYS[10], ARGV[9], id)
redis.call("ZREM", KEYS[11], id)
if ARGV[11] ~= "" then redis.call("ZADD", KEYS[12], ARGV[11], id) end
if delay > 0 then
  local args = cmsgpack.pack({ ARGV[2], id, ARGV[3], now })
  local opts = { attempts = tonumber(ARGV[6]), priority = tonumber(ARGV[7]), delay = delay }
  addDelayed({ KEYS[1], KEYS[2], KEYS[3], KEYS[5], KEYS[6], KEYS[8] }, { args, ARGV[5], cmsgpack.pack(opts) })
  if limited then note_quota(ARGV[2] .. id, KEYS[15], limits, ARGV[22]) end
  return { "added", 0, "0", left }
end
local flow, queue, root, cost = ARGV[14], ARGV[20], ARGV[21], tonumber(ARGV[18])
local weight = weight_of(flow, ARGV[15], ARGV[16], ARGV[17])
local waiting = redis.call("ZCARD", KEYS[4])
local tag, offset = take_place(virtual_time(queue, waiting), flow, cost, weight)
local tag_text = string.format("%.0f", tag)
local meta = redis.call("HMGET", KEYS[2], "opts.maxLenEvents", "paused", "concurrency")
redis.call("INCR", KEYS[3])
redis.call("HSET", ARGV[2] .. id, "name", ARGV[3], "data", ARGV[5], "timestamp", ARGV[4], "delay", "0",
  "priority", tag_text, "opts", '{"attempts":' .. ARGV[6] .. ',"priority":' .. tag_text .. '}', "share",
  share_text({ flow = flow, weight = weight, cost = cost, charged = cost, offset = offset }))
if limited then note_quota(ARGV[2] .. id, KEYS[15], limits, ARGV[22]) end
redis.call("XADD", KEYS[8], "*", "event", "added", "jobId", id, "name", ARGV[3])
local ahead = redis.call("LLEN", ARGV[2] .. "wait")
if waiting > 0 then ahead = ahead + redis.call("ZCOUNT", KEYS[4], "-inf", "(" .. number_text((tag + 1) * score_per_tag)) end
local score = tag * score_per_tag + redis.call("INCR", KEYS[9]) % score_per_tag
redis.call("ZADD", KEYS[4], number_text(score), id)
add_work(queue, cost)
if join_users(flow, ARGV[19], cost, queue .. " " .. id) then
  prepare_head(root, queue)
  ahead, tag = place_of(KEYS[4], ARGV[2] .. id, queue, id, score)
end
-- The marker wakes a worker that waits; nobody may take a job of a queue that is paused or runs all it may.
local maxed = meta[3] and redis.call("LLEN", KEYS[7]) >= tonumber(meta[3])
if not meta[2] and not maxed then redis.call("ZADD", KEYS[1], 0, "0") end
redis.call("XADD", KEYS[8], "MAXLEN", "~", meta[1] or 10000, "*", "event", "waiting", "jobId", id)
return { "added", ahead, string.format("%.0f", tag), left }
`);

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
