import { createRequire } from "node:module";
import { startLua } from "../consumer/start-lua.ts";
import { createLuaScript } from "../redis/lua.ts";
import { etaLua } from "../scheduling/eta-factors.ts";
import { fairLua } from "../scheduling/fair-lua.ts";
import { limitsLua } from "../scheduling/limits-lua.ts";
import { takenLua } from "../scheduling/note-dispatch.ts";
import { runningLua } from "../scheduling/running-lua.ts";
import { logLua, logNextLua } from "../token-log/log-lua.ts";

// BullMQ ships its scripts without types. The number in a file's name is how many keys it wants: a version
// that wants others has no such file, and nothing starts.
type ScriptFile<Name extends string> = Readonly<Record<Name, { readonly content: string }>>;
const load = createRequire(import.meta.url);
const { moveToActive } = load("bullmq/dist/cjs/scripts/moveToActive-11.js") as ScriptFile<"moveToActive">;
const { moveToFinished } = load(
  "bullmq/dist/cjs/scripts/moveToFinished-14.js",
) as ScriptFile<"moveToFinished">;

/** How many keys and arguments BullMQ gives its own script; ours come after them. */
export const fetchKeys = 11;
export const fetchArgs = 3;
export const finishKeys = 14;
export const finishArgs = 9;

// A job that BullMQ has just given this worker, as its script returns it: the job's fields and its id. Returns false
// when it gave none, otherwise the time (ms), the number of its log's last entry, and what was foretold of its start;
// false instead of that: it was put without a tag, and is charged by another script.
const openFetched = `
local function open_fetched(reply, root, queue, worker, backend, running)
  if type(reply) ~= "table" or type(reply[1]) ~= "table" then return false end
  local fields, id, known = reply[1], reply[2], {}
  for i = 1, #fields, 2 do known[fields[i]] = fields[i + 1] end
  -- It outlived too many workers: BullMQ lets it fail and nobody runs it.
  if known.defa then return false end
  local _, now, seq = open_start(root .. queue .. ":" .. id, known, worker, backend, root .. "live:" .. id)
  local placed = known.share or (tonumber(known.priority) or 0) >= tag_floor
  return { now, seq, placed and note_taken(root, queue, id, known, running) or false }
end
`;

/**
 * BullMQ's script that takes a job, and the beginning of that job's record in the same go.
 *
 * KEYS: BullMQ's, the two of fair shares, what is known of forecasts. ARGV: BullMQ's, worker and backend as JSON texts
 * ("" = not known), queue, prefix with a colon. Returns { the opened start or false, BullMQ's reply }.
 */
export const runFetchScript = createLuaScript(
  `
local function bullmq(redis, KEYS, ARGV)
${moveToActive.content}
end
${openFetched}
local running = known_running(ARGV[7])
local reply = bullmq(running and running.guard(ARGV[6]) or redis, KEYS, ARGV)
return { open_fetched(reply, ARGV[7], ARGV[6], ARGV[4], ARGV[5], running), reply }
`,
  fairLua("KEYS[12]", "KEYS[13]") + runningLua("KEYS[12]") + etaLua + takenLua("KEYS[14]") + startLua,
);

/**
 * All that belongs to the end of a job that completed, BullMQ's script that ends it and takes the next one, and
 * the beginning of that one's record, in one go: while the job is locked by this worker, and otherwise nothing.
 *
 * KEYS: BullMQ's, the two of fair shares, what is known of forecasts, the deadlines, then the tenant's open and ended
 * jobs if it has one.
 * ARGV: BullMQ's, then of the job that ends: its lock's token ("" = BullMQ's part alone), line for `starts`, how long a
 * slot was held (ms), tokens it used, the answer as data of a token ("" = its log has it), number of the log's last
 * entry as the writer knows it, its attempt, its channel, score in the index ("" = no tenant), "1" if it may have a
 * deadline; then of the next one: worker and backend as JSON texts ("" = not known), queue, prefix with a colon.
 * Returns { the opened start or false, BullMQ's reply }.
 */
export const runFinishScript = createLuaScript(
  `
local function bullmq(redis, KEYS, ARGV)
${moveToFinished.content}
end
${openFetched}
local key, id = KEYS[12], ARGV[1]
local function write_answer(data, written)
  if log_next(key .. ":logs", written, "token", data, ARGV[17]) then return end
  ${logLua('key .. ":logs"')}
  if seq > written then return end
  if seq < written then
    -- Redis came back without what readers have seen of this start.
    skip_to(written)
    log("restart", string.format('{"attempt":%s}', ARGV[16]))
  end
  log("token", data)
  publish(ARGV[17])
end
-- Who has lost the lock is told so by BullMQ.
local running = known_running(ARGV[23])
local ends = ARGV[10] ~= "" and redis.call("GET", key .. ":lock") == ARGV[10]
if ends then
  local known = redis.call("HMGET", key, "starts", "kept", "stop", "quota", "share")
  redis.call("HSET", key, "starts", (known[1] or "") .. ARGV[11])
  if known[2] or known[3] then redis.call("HDEL", key, "kept", "stop") end
  if ARGV[14] ~= "" then write_answer(ARGV[14], tonumber(ARGV[15])) end
  settle_completed(known[5], tonumber(ARGV[12]))
  if known[4] then settle_quota(key, tonumber(ARGV[13])) end
  if running then running.leave(ARGV[22], id, known[5]) end
end
local reply = bullmq(running and running.guard(ARGV[22]) or redis, KEYS, ARGV)
if ends and (reply == 0 or type(reply) == "table") then
  if ARGV[18] ~= "" then
    redis.call("ZREM", KEYS[19], id)
    redis.call("ZADD", KEYS[20], ARGV[18], id)
  end
  if ARGV[19] == "1" then redis.call("ZREM", KEYS[18], id) end
  redis.call("PUBLISH", ARGV[17], "")
end
return { open_fetched(reply, ARGV[23], ARGV[22], ARGV[20], ARGV[21], running), reply }
`,
  fairLua("KEYS[15]", "KEYS[16]") +
    runningLua("KEYS[15]") +
    limitsLua +
    etaLua +
    takenLua("KEYS[17]") +
    startLua +
    logNextLua,
);
