/**
 * Lua that writes a job's log (see log-entry.ts), for scripts whose log is at `key`, a Lua expression:
 *
 * - `seq`: number of the last entry; 1 when there is none.
 * - `log(event, data)`: adds an entry.
 * - `skip_to(number)`: the next entry's number is above this one, whatever is in the log.
 * - `reopen(state, now, partial)`: a job that ended as `state` goes back to its queue. Its closing event, which
 *   readers have, had the number after the last entry: the log takes that number now, so that nobody's position
 *   points at something else. `partial`: the log holds tokens that readers are to drop.
 * - `publish(channel)`: tells the entries that were added to whoever follows the job.
 */
export const logLua = (key: string): string => `
local log_key = ${key}
local seq, gap_after = 1, nil
-- Most logs are opened once, empty, and to look for a last entry costs several times as much as to count them.
if redis.call("XLEN", log_key) > 0 then
  seq = tonumber(string.sub(redis.call("XREVRANGE", log_key, "+", "-", "COUNT", 1)[1][1], 3))
end
local added = {}
local function skip_to(number)
  if number <= seq then return end
  gap_after, seq = seq, number
end
local function log(event, data)
  seq = seq + 1
  local id = string.format("0-%d", seq)
  if gap_after then
    redis.call("XADD", log_key, id, "e", event, "d", data, "p", string.format("%d", gap_after))
    gap_after = nil
  else
    redis.call("XADD", log_key, id, "e", event, "d", data)
  end
  added[#added + 1] = string.format("%d ", seq) .. event .. " " .. data
end
local function reopen(state, now, partial)
  log("state", string.format('{"state":"%s","at_ms":%s}', state, now))
  if partial then log("restart", '{"attempt":1}') end
  log("state", string.format('{"state":"waiting","at_ms":%s}', now))
end
local function publish(channel)
  if #added > 0 then redis.call("PUBLISH", channel, table.concat(added, "\\n")) end
end
`;

/**
 * Lua for who knows the number of a log's last entry and has one more: `log_next(log_key, last, event, data, channel)`
 * adds and publishes it. Returns false, and has done nothing, when the last entry is another one.
 */
export const logNextLua = `
local function log_next(log_key, last, event, data, channel)
  -- Redis gives it the next number: so one command writes it and tells what was there.
  local id = redis.call("XADD", log_key, "0-*", "e", event, "d", data)
  local number = string.format("%d", last + 1)
  if id ~= "0-" .. number then
    -- Nor is the number used up: whoever writes next counts from the last entry that is there.
    local before = tonumber(string.sub(id, 3)) - 1
    redis.call("XDEL", log_key, id)
    if before == 0 then redis.call("DEL", log_key) else redis.call("XSETID", log_key, "0-" .. before) end
    return false
  end
  redis.call("PUBLISH", channel, number .. " " .. event .. " " .. data)
  return true
end
`;
