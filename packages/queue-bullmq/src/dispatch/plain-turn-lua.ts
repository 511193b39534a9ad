/**
 * What BullMQ's script does with nearly every job that completes, written out: it ends the job and takes the queue's
 * next one. That script can do much more, and costs Redis twice as much before it has found out that nothing of it is
 * wanted. For scripts with its keys and arguments; tests compare what both leave behind.
 *
 * - `plain_turn(family)`: what BullMQ was told (its options, and `events_max`), or nil where its script is to be run:
 *   the job has a parent or a key of deduplication (`family`), others depend on it, or something is to be promoted,
 *   removed, counted or limited. Writes nothing.
 * - `end_plainly(told, starts, attempts)`: ends the job; false, as when BullMQ answers -3: it is not one that runs.
 * - `take_plainly(told)`: takes the next one. Returns what BullMQ returns, and the fields of that job that are still
 *   to be written, name and value by turns.
 */
export const plainTurnLua = `
local function plain_turn(family)
  if family or ARGV[6] ~= "1" or ARGV[9] ~= "" then return nil end
  local told = cmsgpack.unpack(ARGV[8])
  local keep = told.keepJobs
  if not keep.count or keep.count == 0 or told.limiter or told.maxMetricsSize ~= "" then return nil end
  local meta = redis.call("HMGET", KEYS[9], "paused", "concurrency", "max", "opts.maxLenEvents")
  if meta[1] or meta[2] or meta[3] or not meta[4] then return nil end
  if redis.call("EXISTS", KEYS[1], KEYS[12] .. ":dependencies", KEYS[12] .. ":unsuccessful") > 0 then return nil end
  if redis.call("ZCARD", KEYS[3]) == 0 then return nil end
  local due = (ARGV[2] + 1) * 0x1000 - 1
  if redis.call("ZRANGEBYSCORE", KEYS[7], "-inf", due, "LIMIT", 0, 1)[1] then return nil end
  -- Jobs that are too many or too old are removed by the hundred, with the first one too many.
  if keep.count > 0 and redis.call("ZCARD", KEYS[11]) >= math.floor(keep.count * 1.01) then return nil end
  told.events_max = meta[4]
  return told
end
local function end_plainly(told, starts, attempts)
  local key, id = KEYS[12], ARGV[1]
  redis.call("HSET", key, "starts", starts, ARGV[3], ARGV[4], "finishedOn", ARGV[2], "atm", (attempts or 0) + 1)
  redis.call("DEL", key .. ":lock")
  redis.call("SREM", KEYS[5], id)
  if redis.call("LREM", KEYS[2], -1, id) == 0 then
    redis.call("HDEL", key, ARGV[3], "finishedOn")
    redis.call("HINCRBY", key, "atm", -1)
    return false
  end
  redis.call("ZADD", KEYS[11], ARGV[2], id)
  redis.call("XADD", KEYS[4], "MAXLEN", "~", told.events_max, "*", "event", "completed", "jobId", id, ARGV[3], ARGV[4],
    "prev", "active")
  return true
end
local function take_plainly(told)
  local id = redis.call("ZPOPMIN", KEYS[3])[1]
  local key = ARGV[7] .. id
  redis.call("LPUSH", KEYS[2], id)
  redis.call("SET", key .. ":lock", told.token, "PX", told.lockDuration)
  redis.call("XADD", KEYS[4], "*", "event", "active", "jobId", id, "prev", "waiting")
  redis.call("ZADD", KEYS[14], 0, "0")
  local fields, at = redis.call("HGETALL", key), {}
  for i = 1, #fields, 2 do at[fields[i]] = i + 1 end
  local starts = at.ats and tonumber(fields[at.ats]) or 0
  local new = { "processedOn", ARGV[2], "ats", string.format("%d", starts + 1), "pb", told.name }
  for i = 1, #new, 2 do
    if not at[new[i]] then
      fields[#fields + 1] = new[i]
      at[new[i]] = #fields + 1
    end
    fields[at[new[i]]] = new[i + 1]
  end
  return { fields, id, 0, 0 }, new
end
`;
