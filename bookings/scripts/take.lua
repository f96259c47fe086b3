-- Takes what is due out of the queues, in turn: a few of each, those first whose turn was longest ago. The worker
-- that takes them claims the parts next; should it not come to that, the reconciler queues them again.
--
-- KEYS  1 turns   2 open   3 lanes
-- ARGV  1 job prefix   2 prefix of booking keys   3 most parts   4 grace (ms), then, for lanes of which the worker has
--       parts under way: lane, how many
-- Gives {1 (something that is due was left) or 0, then for each part: "<bid>:<pid>", the lane it waited for or ''}
--
-- Out of a lane's line come as many as may be under way of it, soonest meeting first; of one that is closed, none; of
-- one whose credentials were refused, one that tries them.

local QUEUES, MOVED, PROBE_MS = '128', 32, 5000

local prefix, now, free = ARGV[1], clock(), tonumber(ARGV[3])
local at = string.format('%.0f', now)
local queues = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', at, 'LIMIT', '0', QUEUES)
if #queues == 0 then
  return {'0'}
end
local held, probed, of_lanes = {}, {}, queue_of(prefix, '')
for i = 5, #ARGV, 2 do
  held[ARGV[i]] = tonumber(ARGV[i + 1])
end

-- Of a queue the first that are due, `most` of them, and when the first of the others is; names and scores.
local function first_due(queue, most)
  local first, due = redis.call('ZRANGE', queue, '0', string.format('%.0f', most), 'WITHSCORES'), {}
  for i = 1, #first, 2 do
    if #due == most or tonumber(first[i + 1]) > now then
      return due, tonumber(first[i + 1])
    end
    due[#due + 1] = first[i]
  end
  return due, nil
end

local function place_of(job)
  return string.match(string.sub(job, #prefix + 2), '^%w+:%w+')
end

local function start_of(place, lane)
  local bid, pid = string.match(place, '(%w+):(%w+)')
  local lines = redis.call('HGET', ARGV[2] .. bid, 'lines:' .. pid)
  for start, _, _, _, of in string.gmatch(lines or '', IN_LINE) do
    if of == lane then
      return tonumber(start)
    end
  end
  return 0
end

-- When a lane may be tried, and whether a refused one only by one request.
local function opens(lane, account)
  local till, probe = 0, false
  for _, name in ipairs(lane == account and {lane} or {account, lane}) do
    local fields = redis.call('HMGET', prefix .. ':account:clock:' .. name, 'until', 'state')
    till = math.max(till, tonumber(fields[1]) or 0)
    probe = probe or fields[2] == 'parked'
  end
  return till, probe
end

-- What is to be done with a queue: the jobs that leave it, and its next turn (ms), or nil where nothing is in it.
-- Out of an app's queue, where more is due than can be taken, the newest go as well as the oldest: a flood is worked off
-- at half the pace meanwhile, and what comes in after it does not wait for it (adaptive LIFO).
local function of_app(queue, most)
  local due, later = first_due(queue, most)
  if most > 1 and #due == most and later and later <= now then
    local newest = redis.call('ZREVRANGEBYSCORE', queue, at, '-inf', 'LIMIT', '0', math.floor(most / 2))
    local taken = {}
    for i = #due, #due - #newest + 1, -1 do
      due[i] = nil
    end
    for _, job in ipairs(due) do
      taken[job] = true
    end
    for _, job in ipairs(newest) do
      if not taken[job] then
        due[#due + 1] = job
      end
    end
  end
  return {queue = queue, jobs = due, next = later and math.max(later, now)}
end

local function of_lane(queue, lane, most)
  local account = string.match(lane, '^[^/]*')
  local till, probe = opens(lane, account)
  if till > now or probe and probed[account] then
    return {queue = queue, jobs = {}, next = math.max(till, now + PROBE_MS), rests = true}
  end
  probed[account] = probe
  local room = tonumber(redis.call('HGET', KEYS[3], lane) or 1) - (held[lane] or 0)
  most = math.max(0, math.min(most, probe and 1 or room))
  local line = redis.call('ZRANGE', line_of(prefix, lane), '0', string.format('%.0f', most), 'WITHSCORES')
  local jobs, later = first_due(queue, MOVED)
  local all = {}
  for i = 1, #line, 2 do
    all[#all + 1] = {place = line[i], start = tonumber(line[i + 1])}
  end
  for _, job in ipairs(jobs) do
    local place = place_of(job)
    all[#all + 1] = {place = place, start = start_of(place, lane), came = true}
  end
  table.sort(all, function(one, other) return one.start < other.start end)
  local more = #all > most
  return {queue = queue, lane = lane, jobs = jobs, all = all, most = most, rests = probe,
    next = #all > 0 and probe and now + PROBE_MS or more and now or later and math.max(later, now)}
end

local plans, left, lines = {}, '0', false
for i, queue in ipairs(queues) do
  local share = math.ceil(free / (#queues - i + 1))
  local plan
  if string.sub(queue, 1, #of_lanes) == of_lanes then
    plan = of_lane(queue, string.sub(queue, #of_lanes + 1), share)
    free = free - math.min(plan.most or 0, plan.all and #plan.all or 0)
    lines = true
  else
    plan = of_app(queue, share)
    free = free - #plan.jobs
  end
  if plan.next and plan.next <= now and not plan.rests then
    left = '1'
  end
  -- A line out of which nothing may come here and now stays as it is, unless others may be hidden behind it.
  local stays = plan.next == now and not plan.rests and #plan.jobs == 0 and not (plan.all and plan.most > 0)
  if not stays or #queues == tonumber(QUEUES) then
    plans[#plans + 1] = plan
  end
end
if #plans == 0 then
  return {left}
end

-- Tried before the first write (docs/decisions/014).
redis.call('ZADD', KEYS[1], 'XX', '0', '')
redis.call('ZREM', KEYS[1], '')
redis.call('DEL', 'arq:job:' .. prefix)
redis.call('ZREM', queues[1], '')
if lines then
  redis.call('ZADD', KEYS[2], 'XX', '0', '')
  redis.call('HDEL', KEYS[3], '')
  redis.call('ZADD', line_of(prefix, ''), 'XX', '0', '')
  redis.call('ZREM', line_of(prefix, ''), '')
end

local look_at, answer = string.format('%.0f', now + tonumber(ARGV[4])), {left}
for _, plan in ipairs(plans) do
  if #plan.jobs > 0 then
    local payloads = {}
    for i, job in ipairs(plan.jobs) do
      payloads[i] = 'arq:job:' .. job
    end
    redis.call('ZREM', plan.queue, unpack(plan.jobs))
    redis.call('DEL', unpack(payloads))
  end
  if plan.all then
    local gone, looked = {}, {}
    for i, each in ipairs(plan.all) do
      if i <= plan.most then
        answer[#answer + 1], answer[#answer + 2] = each.place, plan.lane
        gone[#gone + 1] = each.place
        looked[#looked + 1], looked[#looked + 2] = look_at, each.place
      elseif each.came then
        redis.call('ZADD', line_of(prefix, plan.lane), string.format('%.0f', each.start), each.place)
      end
    end
    if #gone > 0 then
      redis.call('ZREM', line_of(prefix, plan.lane), unpack(gone))
      redis.call('ZADD', KEYS[2], 'XX', unpack(looked))
    end
  else
    for _, job in ipairs(plan.jobs) do
      answer[#answer + 1], answer[#answer + 2] = place_of(job), ''
    end
  end
  if plan.next then
    redis.call('ZADD', KEYS[1], string.format('%.0f', plan.next), plan.queue)
  else
    redis.call('ZREM', KEYS[1], plan.queue)
    if plan.lane then
      redis.call('HDEL', KEYS[3], plan.lane)
    end
  end
end
if left == '1' and free <= 0 then
  ring(prefix) -- for somebody else
end
return answer
