import { defaultLaneWeights as lanes, scorePerTag, tagFloor, ticksPerMs } from "@forebay/scheduling";

/**
 * Start-time fair queueing as Lua, in every script that puts, takes or ends a job. A job's field `share` is
 * `flow weight cost charged offset`: cost as estimated, charged what its flow's end was moved by and has not been
 * settled, offset what the flow had overdrawn when its tag was given. Everything in ticks.
 *
 * `root` is the prefix with a colon: a queue's keys are made of it, the queue's name and BullMQ's part.
 *
 * @param fair expression of the key of the hash with virtual time
 * @param flows expression of the key of the hash with the flows
 */
export function fairLua(fair: string, flows: string): string {
  return `
local tag_floor, score_per_tag = ${tagFloor}, ${scorePerTag}
-- Exact, and cheap for what is whole.
local function number_text(number)
  if number % 1 == 0 and math.abs(number) < 1e15 then return string.format("%d", number) end
  return string.format("%.17g", number)
end
local function share_text(share)
  return share.flow .. " " .. number_text(share.weight) .. " " .. number_text(share.cost) .. " "
    .. number_text(share.charged) .. " " .. number_text(share.offset)
end
local function write_share(key, share) redis.call("HSET", key, "share", share_text(share)) end
-- A flow's weight: its lane's times its tenant's. Whoever knows one says it, and it is noted for those who do not
-- ("" = not known here).
local default_lane_weights = { interactive = "${lanes.interactive}", standard = "${lanes.standard}", batch = "${lanes.batch}" }
local function weight_of(flow, tenant, lane_weight, tenant_weight, look_only)
  local lane = string.match(flow, "^(%a+):")
  local noted = redis.call("HMGET", ${fair}, "l:" .. lane, "t:" .. tenant)
  local by_lane, by_tenant = noted[1] or default_lane_weights[lane], noted[2] or "1"
  if lane_weight ~= "" and lane_weight ~= by_lane then
    if not look_only then redis.call("HSET", ${fair}, "l:" .. lane, lane_weight) end
    by_lane = lane_weight
  end
  if tenant_weight ~= "" and tenant_weight ~= by_tenant then
    if not look_only then redis.call("HSET", ${fair}, "t:" .. tenant, tenant_weight) end
    by_tenant = tenant_weight
  end
  return tonumber(by_lane) * tonumber(by_tenant)
end
local function parse_share(text)
  if not text then return nil end
  local flow, weight, cost, charged, offset = string.match(text, "^(%S+) (%S+) (%S+) (%S+) (%S+)$")
  if not flow then return nil end
  return { flow = flow, weight = tonumber(weight), cost = tonumber(cost), charged = tonumber(charged),
    offset = tonumber(offset) }
end
-- Virtual time for one who joins a queue: that of the queue while others wait there (it may lag behind, its
-- hosts being slower or away, and who joins must not stand behind all that), otherwise that of all.
local function virtual_time(queue, waiting)
  local v = redis.call("HMGET", ${fair}, "v", waiting > 0 and "v:" .. queue or "v")
  return math.max(tonumber(v[2] or v[1]) or 0, tag_floor)
end
-- What is known of a flow: its end, what it has overdrawn, and whether users divide it. Read once in a run: who writes
-- it keeps this right.
local flow_states = {}
local function flow_state(flow)
  local state = flow_states[flow]
  if not state then
    local known = redis.call("HMGET", ${flows}, "f:" .. flow, "o:" .. flow, "s:" .. flow)
    state = { ends = tonumber(known[1]) or 0, overdrawn = tonumber(known[2]) or 0, divided = known[3] ~= false }
    flow_states[flow] = state
  end
  return state
end
local function move_end(flow, ends)
  flow_state(flow).ends = ends
  redis.call("HSET", ${flows}, "f:" .. flow, number_text(ends))
end
local function move_flow(flow, ends, overdrawn)
  local state = flow_state(flow)
  state.ends, state.overdrawn = ends, overdrawn
  redis.call("HSET", ${flows}, "f:" .. flow, number_text(ends), "o:" .. flow, number_text(overdrawn))
end
-- Gives a flow its next places, one for each cost: returns their tags, each the middle of what the job takes, and what
-- the flow has overdrawn. By its start alone a newcomer of the interactive lane would stand behind every newcomer of the batch lane.
local function take_places(now, flow, costs, weight)
  local state, tags = flow_state(flow), {}
  local ends = math.max(now, state.ends)
  for i, cost in ipairs(costs) do
    tags[i] = math.floor(ends + cost / weight / 2)
    ends = ends + cost / weight
  end
  move_end(flow, ends)
  return tags, state.overdrawn
end
local function take_place(now, flow, cost, weight)
  local tags, offset = take_places(now, flow, { cost }, weight)
  return tags[1], offset
end
local function add_work(queue, ticks)
  if redis.call("HINCRBYFLOAT", ${fair}, "w:" .. queue, number_text(ticks)):sub(1, 1) == "-" then
    redis.call("HDEL", ${fair}, "w:" .. queue)
  end
end
-- A job was taken from the queue that begins there in virtual time (nil = it has no share) and asked for so much.
-- Whatever was counted wrong of the queue's work, by jobs removed behind our back, ends with its last job.
local function move_time(queue, start, ticks, is_last)
  local known, changed = redis.call("HMGET", ${fair}, "v", "v:" .. queue, "w:" .. queue), {}
  local function change(field, number)
    changed[#changed + 1] = field
    changed[#changed + 1] = number_text(number)
  end
  if start and start > (tonumber(known[1]) or 0) then change("v", start) end
  if start and start > (tonumber(known[2]) or 0) then change("v:" .. queue, start) end
  local work = tonumber(known[3])
  if work and (is_last or work < ticks) then redis.call("HDEL", ${fair}, "w:" .. queue)
  elseif work and ticks > 0 then change("w:" .. queue, work - ticks) end
  if changed[1] then redis.call("HSET", ${fair}, unpack(changed)) end
end
-- A flow is charged, or given back, the difference to what it had asked for. Who is in debt pays from now on, not
-- from a time long past.
local function charged_end(ends, ticks, weight)
  if ticks > 0 then ends = math.max(ends, tonumber(redis.call("HGET", ${fair}, "v")) or tag_floor) end
  return ends + ticks / weight
end
local function charge(flow, ticks, weight)
  if ticks ~= 0 then move_end(flow, charged_end(flow_state(flow).ends, ticks, weight)) end
end
-- A start has ended that used so much more than was charged for it.
local function settle_flow(share, over)
  if over == 0 then return end
  local state = flow_state(share.flow)
  move_flow(share.flow, charged_end(state.ends, over, share.weight), state.overdrawn + over / share.weight)
end
-- A job has completed, and asks for nothing any more.
local function settle_completed(share_field, used_ms)
  local share = parse_share(share_field)
  if share then settle_flow(share, used_ms * ${ticksPerMs} - share.charged) end
end
-- A start has ended: what it used is charged. A job that comes back ("" = it does not) keeps what it has asked for
-- its next start.
local function settle(key, used_ms, back_to)
  local share = parse_share(redis.call("HGET", key, "share"))
  if not share then return end
  local used = used_ms * ${ticksPerMs}
  settle_flow(share, back_to ~= "" and used or used - share.charged)
  if back_to ~= "" then return add_work(back_to, share.cost) end
  share.cost, share.charged = math.max(1, used), used
  write_share(key, share)
end
-- A waiting job is gone: its flow gets back what it had asked for.
local function give_back(key, queue)
  local share = parse_share(redis.call("HGET", key, "share"))
  if not share then return end
  charge(share.flow, -share.charged, share.weight)
  add_work(queue, -share.cost)
  share.charged = 0
  write_share(key, share)
end
-- Users of a flow: its slots are the tenant's, whose turn it is within them the users' own clocks say. A flow is
-- divided (field s) from the first job that names a user until none of it waits.
local function users_keys(flow) return ${flows} .. ":turns:" .. flow, ${flows} .. ":users:" .. flow end
local function join_users(flow, user, cost, member)
  local state = flow_state(flow)
  if user == "" and not state.divided then return false end
  local turns, users = users_keys(flow)
  local times = redis.call("HMGET", users, "now", "user:" .. user)
  local turn = math.max(tonumber(times[1]) or 0, tonumber(times[2]) or 0)
  redis.call("HSET", users, "user:" .. user, number_text(turn + cost))
  redis.call("ZADD", turns, number_text(turn), member)
  state.divided = true
  redis.call("HSET", ${flows}, "s:" .. flow, "1")
  return true
end
local function leave_users(flow, member)
  local state = flow_state(flow)
  if not state.divided then return end
  local turns, users = users_keys(flow)
  local turn = redis.call("ZSCORE", turns, member)
  if turn then
    redis.call("ZREM", turns, member)
    local now = tonumber(redis.call("HGET", users, "now")) or 0
    if tonumber(turn) > now then redis.call("HSET", users, "now", turn) end
  end
  if redis.call("EXISTS", turns) == 0 then
    state.divided = false
    redis.call("DEL", users)
    redis.call("HDEL", ${flows}, "s:" .. flow)
  end
end
local function place_job(root, queue, id, score, offset, flow_share)
  local key = root .. queue .. ":" .. id
  redis.call("ZADD", root .. queue .. ":prioritized", number_text(score), id)
  redis.call("HSET", key, "priority", number_text(math.floor(score / score_per_tag)))
  flow_share.offset = offset
  write_share(key, flow_share)
end
-- The job of the flow whose user's turn comes before that of this head and whose slot comes after; a few are
-- looked at: those that have an early slot already, on a queue nobody serves now, are passed over.
local function whose_turn(root, flow, member, score)
  local turns = users_keys(flow)
  for _, other in ipairs(redis.call("ZRANGE", turns, 0, 15)) do
    if other == member then return nil end
    local queue, id = string.match(other, "^(%S+) (%S+)$")
    local slot = redis.call("ZSCORE", root .. queue .. ":prioritized", id)
    if not slot then
      if redis.call("HEXISTS", root .. queue .. ":" .. id, "held") == 0 then redis.call("ZREM", turns, other) end
    elseif tonumber(slot) > score then
      local share = parse_share(redis.call("HGET", root .. queue .. ":" .. id, "share"))
      if share then return queue, id, tonumber(slot), share end
    end
  end
end
-- Makes the head of a queue the job that should run next there: one whose flow has overdrawn since its tag was
-- given goes back by that much, and within a flow the slot goes to the user whose turn it is. A few steps each
-- time; what is left is done with the next job. False: none waits there.
local function prepare_head(root, queue)
  for _ = 1, 16 do
    local head = redis.call("ZRANGE", root .. queue .. ":prioritized", 0, 0, "WITHSCORES")
    if not head[1] then return false end
    local id, score = head[1], tonumber(head[2])
    local share = parse_share(redis.call("HGET", root .. queue .. ":" .. id, "share"))
    if not share or score < tag_floor * score_per_tag then return true end
    local state = flow_state(share.flow)
    local overdrawn = math.floor(state.overdrawn - share.offset)
    if overdrawn >= 1 then
      place_job(root, queue, id, score + overdrawn * score_per_tag, share.offset + overdrawn, share)
    else
      if not state.divided then return true end
      local queue2, id2, score2, share2 = whose_turn(root, share.flow, queue .. " " .. id, score)
      if not queue2 then return true end
      local offset2 = share2.offset
      place_job(root, queue2, id2, score, share.offset, share2)
      place_job(root, queue, id, score2, offset2, share)
      if queue2 == queue then return true end
      redis.call("ZADD", root .. queue2 .. ":marker", 0, "0")
    end
  end
  return true
end
-- How many of its queue run before a waiting job, and its tag. In a flow its users divide, its slot is whose turn it
-- is by then: by its turn among the flow's, which lie about evenly up to the flow's end.
local function place_of(prioritized, key, queue, id, score)
  local share = parse_share(redis.call("HGET", key, "share"))
  local state = share and flow_state(share.flow)
  if not state or not state.divided then return redis.call("ZRANK", prioritized, id), math.floor(score / score_per_tag) end
  local turns = users_keys(share.flow)
  local turn, all = redis.call("ZRANK", turns, queue .. " " .. id) or 0, redis.call("ZCARD", turns)
  local now = tonumber(redis.call("HGET", ${fair}, "v")) or tag_floor
  local tag = now + math.max(0, state.ends - now) * (turn + 0.5) / math.max(1, all)
  return redis.call("ZCOUNT", prioritized, "-inf", "(" .. number_text(tag * score_per_tag)), tag
end
-- A job that ended goes back to its queue: it asks again. Before BullMQ moves it, which goes by its priority.
local function ask_again(key, queue, waiting)
  local share = parse_share(redis.call("HGET", key, "share"))
  if not share then return end
  local tag, offset = take_place(virtual_time(queue, waiting), share.flow, share.cost, share.weight)
  share.charged, share.offset = share.cost, offset
  write_share(key, share)
  redis.call("HSET", key, "priority", number_text(tag))
  add_work(queue, share.cost)
end
`;
}
