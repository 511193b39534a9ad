/**
 * A tenant's limits over time as Lua. A hash per tenant (`<prefix>:limits:<tenant>`) holds when its buckets are empty
 * again (`requests`, `tokens`, ms by Redis's clock: one number says all about a bucket that fills evenly) and what was
 * used of the day (`day`, `used`), and when the next one that is refused is to come back (`back:requests`, `back:tokens`). Tokens are reserved as estimated and settled when the job has ended; its field
 * `quota` is the hash's key, the day, the tokens reserved and the limit per minute.
 */
export const limitsLua = `
local minute = 60000
local function redis_now()
  local time = redis.call("TIME")
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
-- Those refused one after the other are told times one after the other, up to a minute ahead: together they would find room
-- for one. Whoever is told more than that has asked too often to be told anything better.
local function tell_apart(key, field, now, wait, takes)
  local back = math.max(now + wait, math.min(tonumber(redis.call("HGET", key, field)) or 0, now + minute))
  redis.call("HSET", key, field, string.format("%.0f", back + takes))
  redis.call("EXPIRE", key, 172800)
  return math.ceil(back - now)
end
-- Limits: requests and tokens per minute, tokens per day; "" = none. Returns nil, or which one is met and how many ms
-- until there is room; then what is left: of each limit that exists its name, the limit, what is left, ms until all is.
local function check_limits(key, limits, tokens, commit)
  local now, left, met, wait, takes, writes = redis_now(), {}, nil, 0, nil, {}
  local known = redis.call("HMGET", key, "requests", "tokens", "day", "used")
  local function bucket(name, limit, amount, empty_at)
    if limit == "" then return end
    local each = minute / tonumber(limit)
    local from = math.max(now, tonumber(empty_at) or 0)
    local full = from + amount * each
    -- What is larger than a whole minute's worth goes when the bucket is empty.
    if full - now > minute + 0.5 and from > now then
      local needed = math.min(full - now - minute, from - now)
      if not met or needed > wait then met, wait, takes = name, math.ceil(needed), amount * each end
      full = from
    end
    writes[#writes + 1] = name
    writes[#writes + 1] = string.format("%.3f", full)
    left[#left + 1] = { name, limit, math.max(0, math.floor((minute - (full - now)) / each)), math.max(0, math.ceil(full - now)) }
  end
  bucket("requests", limits[1], 1, known[1])
  bucket("tokens", limits[2], tokens, known[2])
  if limits[3] ~= "" then
    local day = math.floor(now / 86400000)
    local used = tonumber(known[3]) == day and tonumber(known[4]) or 0
    local reset = (day + 1) * 86400000 - now
    if used > 0 and used + tokens > tonumber(limits[3]) then met, wait, takes = "tokens-day", reset, nil
    else used = used + tokens end
    writes[#writes + 1] = "day"
    writes[#writes + 1] = day
    writes[#writes + 1] = "used"
    writes[#writes + 1] = string.format("%.0f", used)
    left[#left + 1] = { "tokens-day", limits[3], math.max(0, tonumber(limits[3]) - used), reset }
  end
  if commit and not met and #writes > 0 then
    redis.call("HSET", key, unpack(writes))
    redis.call("EXPIRE", key, 172800)
  elseif commit and takes then
    wait = tell_apart(key, "back:" .. met, now, wait, takes)
  end
  return met, wait, left
end
local function note_quota(job_key, key, limits, tokens)
  if limits[2] == "" and limits[3] == "" then return end
  redis.call("HSET", job_key, "quota", string.format("%s %d %d %s", key, math.floor(redis_now() / 86400000), tokens,
    limits[2] == "" and "0" or limits[2]))
end
-- The job has ended, having used so many tokens (0: it never ran): the difference to its reservation is settled.
local function settle_quota(job_key, used)
  local quota = redis.call("HGET", job_key, "quota")
  if not quota then return end
  local key, day, reserved, per_minute = string.match(quota, "^(%S+) (%d+) (%d+) (%S+)$")
  redis.call("HDEL", job_key, "quota")
  if not key or redis.call("EXISTS", key) == 0 then return end
  local over = used - tonumber(reserved)
  if tonumber(per_minute) > 0 then redis.call("HINCRBYFLOAT", key, "tokens", over * minute / tonumber(per_minute)) end
  if redis.call("HGET", key, "day") == day and redis.call("HINCRBY", key, "used", string.format("%.0f", over)) < 0 then
    redis.call("HSET", key, "used", 0)
  end
end
`;
