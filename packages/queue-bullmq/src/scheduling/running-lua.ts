/** A held job comes back by itself after this long, should nobody ever let it go. BullMQ sees to that. */
const heldMsMax = 600_000;
/** Whether a running job's lock is still there is asked so often at most. */
const lockCheckMs = 1_000;
/** Jobs that were let go and are gone without having run are forgotten after this long. */
const outSMax = 3_600;
/** Bounds on what one script does, each step being some ten short commands. */
const passedOverMax = 256;
const releasedMax = 256;

/**
 * Limits of running jobs as Lua, for scripts that have `fairLua` of the same keys. `known_running(root)` is nil where
 * no tenant has a limit, which costs one command, otherwise a table of what follows; `open_running(root)` is that
 * table in any case. `root` is the prefix with a colon, `share` the job's field of this name.
 *
 * A job that came to the front of its queue while its tenant runs as many as it may is *held*: it stands in BullMQ's
 * `delayed`, where all that looks for jobs finds it, with a field `held` (virtual time of its queue and what its flow
 * had overdrawn, then), and in an index by tenant and queue. See `running-keys.ts`.
 */
export function runningLua(fair: string): string {
  return `
local function open_running(root)
  local running, full_now, maxima, time_now = {}, {}, {}, nil
  local limits, held, of = root .. "running", root .. "held", root .. "held:of:"
  local function now()
    if not time_now then
      local time = redis.call("TIME")
      time_now = time[1] * 1000 + math.floor(time[2] / 1000)
    end
    return time_now
  end
  local function members_of(tenant) return limits .. ":of:" .. tenant end
  local function index_of(tenant, queue) return of .. tenant .. ":" .. queue end
  local function out_of(tenant, queue) return root .. "held:out:" .. tenant .. ":" .. queue end
  local function tenant_of(share) return share and string.match(share, "^%a+:(%S+) ") end
  -- nil: any number.
  local function max_of(tenant)
    if maxima[tenant] == nil then maxima[tenant] = tonumber(redis.call("HGET", limits, tenant) or "") or false end
    return maxima[tenant] or nil
  end
  local function count(field, by)
    if redis.call("HINCRBY", held, field, by) <= 0 then redis.call("HDEL", held, field) end
  end

  local function hold(tenant, queue, id, share_field, place)
    local share = parse_share(share_field)
    local v = redis.call("HGET", ${fair}, "v:" .. queue) or "0"
    local overdrawn = number_text(flow_state(share.flow).overdrawn)
    -- One that BullMQ put back has been held since before.
    redis.call("HSETNX", root .. queue .. ":" .. id, "held", v .. " " .. overdrawn)
    redis.call("ZADD", root .. queue .. ":delayed", number_text((now() + ${heldMsMax}) * 0x1000), id)
    -- In the order in which they were put, whatever their flow's places were moved by since.
    local order = place - share.offset * score_per_tag
    if redis.call("ZADD", index_of(tenant, queue), number_text(order), id) == 0 then return end
    redis.call("SADD", of .. tenant, queue)
    count("n:" .. queue, 1)
    count("t:" .. tenant, 1)
    -- Nobody stands behind it.
    add_work(queue, -share.cost)
  end
  -- It is held no more: it goes on, or is gone (no share). Its work is its queue's again.
  local function unhold(tenant, queue, id, share_field)
    local index = index_of(tenant, queue)
    redis.call("HDEL", root .. queue .. ":" .. id, "held")
    if redis.call("ZREM", index, id) == 0 then return end
    if redis.call("EXISTS", index) == 0 then redis.call("SREM", of .. tenant, queue) end
    count("n:" .. queue, -1)
    count("t:" .. tenant, -1)
    local share = parse_share(share_field)
    if share then add_work(queue, share.cost) end
  end
  function running.unhold(queue, id, share_field)
    local tenant = tenant_of(share_field)
    if tenant then unhold(tenant, queue, id, share_field) end
  end

  -- Within a flow that its users divide, the first place is that of whoever's turn it is.
  local function whose_turn_of(queue, index, id, order)
    local share = parse_share(redis.call("HGET", root .. queue .. ":" .. id, "share"))
    if not share or not flow_state(share.flow).divided then return id end
    local turns = users_keys(share.flow)
    for _, member in ipairs(redis.call("ZRANGE", turns, 0, 15)) do
      local on, other = string.match(member, "^(%S+) (%S+)$")
      if on == queue then
        if other == id then return id end
        local theirs = redis.call("ZSCORE", index, other)
        if theirs then
          redis.call("ZADD", index, order, other, theirs, id)
          return other
        end
      end
    end
    return id
  end
  -- Puts a held job back to its place, behind others that were let go. The time in which its flow was held counts as if
  -- it had asked for nothing: all of the flow's jobs go back by as much as virtual time went on without it. Returns
  -- the place.
  local function place_again(queue, id, place, share, was, behind_place)
    local v_then, o_then = string.match(was, "^(%S+) (%S+)$")
    local v = tonumber(redis.call("HGET", ${fair}, "v:" .. queue)) or 0
    local state = flow_state(share.flow)
    local overdrawn = state.overdrawn
    local start = math.floor(place / score_per_tag) - share.cost / share.weight / 2
    local behind = math.floor(v - math.max(start, tonumber(v_then) or 0) - (overdrawn - (tonumber(o_then) or 0)))
    if behind >= 1 then
      overdrawn = overdrawn + behind
      move_flow(share.flow, state.ends + behind, overdrawn)
    end
    local back = math.max(0, math.floor(overdrawn - share.offset))
    place = math.max(place + back * score_per_tag, behind_place)
    place_job(root, queue, id, place, share.offset + back, share)
    redis.call("ZADD", root .. queue .. ":marker", 0, "0")
    return place
  end
  -- Returns the place of the job that was let go; nil: the tenant holds none on this queue.
  local function release_first(tenant, queue, max, behind_place)
    local index = index_of(tenant, queue)
    for _ = 1, 64 do
      local first = redis.call("ZRANGE", index, 0, 0, "WITHSCORES")
      if not first[1] then return nil end
      local id = whose_turn_of(queue, index, first[1], first[2])
      local fields = redis.call("HMGET", root .. queue .. ":" .. id, "share", "held")
      -- BullMQ may have put it back, and otherwise it was removed behind our back.
      local is_held = fields[1] and fields[2] and (redis.call("ZREM", root .. queue .. ":delayed", id) == 1
        or redis.call("ZREM", root .. queue .. ":prioritized", id) == 1)
      unhold(tenant, queue, id, fields[1])
      if is_held then
        local share = parse_share(fields[1])
        if max then
          redis.call("SADD", out_of(tenant, queue), id)
          redis.call("EXPIRE", out_of(tenant, queue), ${outSMax})
        end
        return place_again(queue, id, first[2] + share.offset * score_per_tag, share, fields[2], behind_place)
      end
    end
    return behind_place
  end
  -- Those that were let go and nobody has taken: how many, and the place of the last.
  local function count_out(tenant, queue)
    local out, count, last = out_of(tenant, queue), 0, 0
    for _, id in ipairs(redis.call("SMEMBERS", out)) do
      local place = redis.call("ZSCORE", root .. queue .. ":prioritized", id)
      if place then count, last = count + 1, math.max(last, tonumber(place)) else redis.call("SREM", out, id) end
    end
    return count, last
  end
  -- Lets go as many as may run now of each queue on which the tenant holds jobs: nobody knows where a slot is free.
  -- Those that find none are held again.
  local function release(tenant, queue_first)
    if redis.call("HEXISTS", held, "t:" .. tenant) == 0 then return 0 end
    local max = max_of(tenant)
    local free = math.min(${releasedMax}, max and max - redis.call("ZCARD", members_of(tenant)) or ${releasedMax})
    local released = 0
    local function release_on(queue)
      local out, last = count_out(tenant, queue)
      for _ = out + 1, free do
        last = released < ${releasedMax} and release_first(tenant, queue, max, last)
        if not last then return end
        released = released + 1
      end
    end
    if queue_first then release_on(queue_first) end
    for _, queue in ipairs(redis.call("SRANDMEMBER", of .. tenant, 32)) do
      if queue ~= queue_first then release_on(queue) end
    end
    return released
  end

  -- Forgets jobs that count as running and whose worker has died; a few each time.
  local function drop_dead(tenant)
    local members, dropped = members_of(tenant), false
    for _, member in ipairs(redis.call("ZRANGEBYSCORE", members, "-inf", now() - ${lockCheckMs}, "LIMIT", 0, 64)) do
      local queue, id = string.match(member, "^(%S+) (%S+)$")
      if redis.call("EXISTS", root .. queue .. ":" .. id .. ":lock") == 1 then redis.call("ZADD", members, now(), member)
      else
        redis.call("ZREM", members, member)
        dropped = true
      end
    end
    return dropped
  end
  -- Whether a tenant runs as many as it may, and whether finding that out has put jobs before others.
  local function is_full(tenant, queue)
    if full_now[tenant] ~= nil then return full_now[tenant], false end
    local max, moved = max_of(tenant), false
    local full = max ~= nil and redis.call("ZCARD", members_of(tenant)) >= max
    if full and drop_dead(tenant) then
      full = redis.call("ZCARD", members_of(tenant)) >= max
      moved = not full and release(tenant, queue) > 0
    end
    full_now[tenant] = full
    return full, moved
  end

  -- One that was delayed and has no tag yet gets it now, if its tenant has a limit: nobody could hold it otherwise.
  local function tag_late(queue, id)
    local key = root .. queue .. ":" .. id
    local flow, tenant, cost, user = string.match(redis.call("HGET", key, "later") or "", "^(%a+:(%S+)) (%d+) (.*)$")
    if not flow or not max_of(tenant) then return false end
    local prioritized, weight = root .. queue .. ":prioritized", weight_of(flow, tenant, "", "")
    cost = tonumber(cost)
    local tag, offset = take_place(virtual_time(queue, redis.call("ZCARD", prioritized) - 1), flow, cost, weight)
    local share = { flow = flow, weight = weight, cost = cost, charged = cost }
    place_job(root, queue, id, tag * score_per_tag, offset, share)
    add_work(queue, cost)
    join_users(flow, user, cost, queue .. " " .. id)
    return true
  end

  function running.enter(queue, id, share_field)
    local tenant = tenant_of(share_field)
    if not tenant or not max_of(tenant) then return end
    redis.call("ZADD", members_of(tenant), now(), queue .. " " .. id)
    redis.call("SREM", out_of(tenant, queue), id)
  end
  function running.leave(queue, id, share_field)
    local tenant = tenant_of(share_field)
    if tenant and redis.call("ZREM", members_of(tenant), queue .. " " .. id) == 1 then release(tenant, queue) end
  end
  -- Makes the head of a queue one that may run, holding those that may not. False: there are more of them.
  function running.pass_over(queue)
    local prioritized, moved = root .. queue .. ":prioritized", false
    for _ = 1, ${passedOverMax} do
      local head = redis.call("ZRANGE", prioritized, 0, 0, "WITHSCORES")
      if not head[1] then return true end
      local share = redis.call("HGET", root .. queue .. ":" .. head[1], "share")
      local tenant, full, changed = tenant_of(share), false, false
      if tenant then full, changed = is_full(tenant, queue) else changed = tag_late(queue, head[1]) end
      if full then
        redis.call("ZREM", prioritized, head[1])
        hold(tenant, queue, head[1], share, tonumber(head[2]))
        moved = true
      elseif moved then
        -- Nobody has made this one the head.
        prepare_head(root, queue)
        moved = false
      elseif not changed then return true end
    end
    return false
  end
  -- The same for those that come before all others. One that outlived too many workers only fails, and is let through.
  function running.pass_over_first(queue)
    local wait = root .. queue .. ":wait"
    for _ = 1, ${passedOverMax} do
      local id = redis.call("LINDEX", wait, -1)
      if not id then return true end
      local fields = redis.call("HMGET", root .. queue .. ":" .. id, "share", "priority", "defa")
      local tenant = tenant_of(fields[1])
      if fields[3] then return true end
      if not tenant then
        if not tag_late(queue, id) then return true end
        redis.call("RPOP", wait)
      else
        if not is_full(tenant, queue) then return true end
        redis.call("RPOP", wait)
        hold(tenant, queue, id, fields[1], (tonumber(fields[2]) or 0) * score_per_tag)
      end
    end
    return false
  end
  -- BullMQ's commands, of which the two that take a queue's next job take one that may run.
  function running.guard(queue)
    local guarded, more = { call = redis.call }, false
    function guarded.call(command, ...)
      if command == "RPOPLPUSH" then
        more = not running.pass_over_first(queue)
        if more then return false end
      elseif command == "ZPOPMIN" then
        more = more or not running.pass_over(queue)
        if more then return {} end
      elseif command == "DEL" and more then
        -- The counter of a queue that BullMQ believes to be empty.
        return 0
      end
      return redis.call(command, ...)
    end
    return guarded
  end
  -- "" = the tenant has no limit (any more).
  function running.set_limit(tenant, max)
    if max == "" then
      redis.call("HDEL", limits, tenant)
      redis.call("DEL", members_of(tenant))
    else redis.call("HSET", limits, tenant, max) end
    maxima[tenant] = tonumber(max) or false
    release(tenant)
  end
  -- Lets go whom nobody else did. True: there is more to do at once.
  function running.sweep()
    local more = false
    for _, field in ipairs(redis.call("HKEYS", held)) do
      local tenant = string.match(field, "^t:(.+)$")
      if tenant then
        drop_dead(tenant)
        if release(tenant) > 0 and not max_of(tenant) then more = true end
      end
    end
    return more
  end
  return running
end
local function known_running(root)
  return redis.call("EXISTS", root .. "running", root .. "held") > 0 and open_running(root) or nil
end
`;
}
