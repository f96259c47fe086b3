-- Put before every script that knows what waits for a lane. Not a script of its own.
--
-- A lane is one mailbox, or one Google account. What waits for it stands in its line, "<bid>:<pid>" scored by when the
-- meeting starts; what is to be tried again later stands in the lane's queue until it is due, and then in the line.
-- `lanes` has, of each lane with a line, how many of its parts a worker has under way at a time.
-- A part's `lines:<pid>` begins with a line "<give up at ms>"; each other is "<start ms> <at ms> <line|queue> <most> <lane>".

local IN_LINE = '(%-?%d+) (%d+) (%a+) (%d+) ([^\n]+)\n'

local function line_of(prefix, lane)
  return prefix .. ':account:waiting:' .. lane
end

local function queue_of(prefix, lane)
  return prefix .. ':queue:lane:' .. lane
end

-- Tries what `leave_lines` does.
local function may_leave(prefix)
  redis.call('ZREM', line_of(prefix, ''), '')
  redis.call('ZREM', queue_of(prefix, ''), '')
  redis.call('HDEL', prefix .. ':booking:none', '')
end

-- Takes a part out of the lines where it stands.
local function leave_lines(booking, prefix, bid, pid, lines)
  for _, _, _, _, lane in string.gmatch(lines, IN_LINE) do
    redis.call('ZREM', line_of(prefix, lane), bid .. ':' .. pid)
    redis.call('ZREM', queue_of(prefix, lane), job_name(prefix, bid, pid))
  end
  redis.call('HDEL', booking, 'lines:' .. pid)
end

-- Tries what `stand_in_lines` does.
local function may_stand(prefix)
  redis.call('ZADD', line_of(prefix, ''), 'XX', '0', '')
  redis.call('HDEL', prefix .. ':lanes', '')
  may_queue(queue_of(prefix, ''), prefix)
end

-- Puts a part into the lines where it is to stand (texts as in `lines:<pid>`).
local function stand_in_lines(booking, prefix, bid, pid, lines, now, ttl)
  local job = job_name(prefix, bid, pid)
  redis.call('HSET', booking, 'lines:' .. pid, lines)
  for start, at, kind, most, lane in string.gmatch(lines, IN_LINE) do
    redis.call('HSET', prefix .. ':lanes', lane, most)
    if kind == 'line' then
      redis.call('ZADD', line_of(prefix, lane), start, bid .. ':' .. pid)
    else
      write_job(job, bid, pid, string.format('%.0f', now), string.format('%.0f', math.max(at - now, 0) + ttl))
      redis.call('ZADD', queue_of(prefix, lane), at, job)
    end
    redis.call('ZADD', prefix .. ':turns', 'LT', at, queue_of(prefix, lane))
  end
end

-- Whether a part stands where it is said to.
local function stands(lines, prefix, bid, pid)
  for _, _, kind, _, lane in string.gmatch(lines, IN_LINE) do
    if kind == 'line' and redis.call('ZSCORE', line_of(prefix, lane), bid .. ':' .. pid)
        or redis.call('ZSCORE', queue_of(prefix, lane), job_name(prefix, bid, pid)) then
      return true
    end
  end
  return false
end

-- The lanes of an account for which parts wait.
local function lanes_of(prefix, account)
  local found = {}
  for _, lane in ipairs(redis.call('HKEYS', prefix .. ':lanes')) do
    if lane == account or string.sub(lane, 1, #account + 1) == account .. '/' then
      found[#found + 1] = lane
    end
  end
  return found
end

-- Has lanes looked at now.
local function call_lanes(prefix, lanes, now)
  for _, lane in ipairs(lanes) do
    redis.call('ZADD', prefix .. ':turns', 'LT', string.format('%.0f', now), queue_of(prefix, lane))
  end
  if #lanes > 0 then
    ring(prefix)
  end
end
