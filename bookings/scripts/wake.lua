-- Put before every script that queues jobs. Not a script of its own.
--
-- A part's record is its fields in the booking's hash:
--   part:<pid>    the part as booked (JSON)           rev:<pid>    its revision
--   writes:<pid>  its writes (JSON)                   state:<pid>  open | dead | done
--   lease:<pid>   "<fence> <until ms> <holder>"       job:<pid>    the arq job that is to look at it
--   end:<pid>     when the part is over (ms)         gone:<pid>   the revision in which it was withdrawn
--   asks:<pid>    what an operator asks for, a line each
--   delayed:<pid> where the index has it: "<write id> <state>" of each delayed write, a line each
--   from:<pid>    "<delivery> <traceparent>" of its revision; the traceparent may be empty
-- Of the booking as a whole there is, among others, `queue`: its app, where that has a queue of its own, or ''.
-- The sorted set `open` holds "<bid>:<pid>" of every part with open writes, scored by the time at which
-- the reconciler has to look at it should nobody else have done so. arq's queue is only the wake-up.
-- The list `bell` holds one element while there may be jobs for a worker that rests: one of them takes it.

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A booking's next revision: above all it had, and all that workers found in calendars; at least the clock. So it
-- keeps rising although a record expired or a Redis was lost, and with it the fence in the events at the providers.
local function next_revision(prefix, previous, now)
  local seen = tonumber(redis.call('GET', prefix .. ':seen')) or 0
  return string.format('%.0f', math.max(previous + 1, seen + 1, now))
end

-- The queue that a booking's jobs go into.
local function queue_of(booking, shared)
  local own = redis.call('HGET', booking, 'queue')
  return own and own ~= '' and shared .. ':' .. own or shared
end

-- The name of a part's arq job; a booking counts its jobs, so that none has the name of another.
local function job_name(prefix, bid, pid, number)
  return prefix .. ':' .. bid .. ':' .. pid .. ':' .. string.format('%.0f', number)
end

-- Writes an arq job down in arq's own format; its entry in the queue is the caller's.
-- The ids are letters and digits, so they need no JSON escaping.
local function write_job(job, bid, pid, now, ttl)
  redis.call('SET', 'arq:job:' .. job, '{"t":null,"f":"sync_part","a":["' .. bid .. '","' .. pid
    .. '"],"k":{},"et":' .. string.format('%.0f', now) .. '}', 'PX', string.format('%.0f', ttl))
end

-- Has one worker that rests look at the queues now; should none hear it, they look at them anyhow before long.
local function ring(prefix)
  if redis.call('LLEN', prefix .. ':bell') == 0 then
    redis.call('LPUSH', prefix .. ':bell', '1')
  end
end

-- Queues one arq job for a part, due at `due`.
local function wake(booking, open, queue, prefix, bid, pid, now, due, grace, ttl)
  local job = job_name(prefix, bid, pid, redis.call('HINCRBY', booking, 'jobs', 1))
  write_job(job, bid, pid, now, due - now + ttl)
  redis.call('ZADD', queue_of(booking, queue), string.format('%.0f', due), job)
  redis.call('ZADD', open, string.format('%.0f', due + grace), bid .. ':' .. pid)
  redis.call('HSET', booking, 'job:' .. pid, job)
  if due <= now then
    ring(prefix)
  end
end

-- Leaves a line for whoever works on a part next, and has somebody do so now.
local function ask_for(booking, open, queue, prefix, bid, pid, what, now, grace, ttl)
  local asks = redis.call('HGET', booking, 'asks:' .. pid) or ''
  redis.call('HSET', booking, 'asks:' .. pid, asks .. what .. '\n', 'state:' .. pid, 'open')
  redis.call('PERSIST', booking)
  wake(booking, open, queue, prefix, bid, pid, now, now, grace, ttl)
end

-- Has what is parked for a calendar tried again: the first `most` of those that may be woken by `till`. One that is
-- woken in vain has reasons of its own: no success wakes it again before ten minutes are over.
local function wake_parked(bookings, open, queue, delayed, prefix, wid, till, most, now, grace, ttl)
  local wakeable = delayed .. ':wakeable:' .. wid
  local found = redis.call('ZRANGEBYSCORE', wakeable, '-inf', till, 'LIMIT', 0, most)
  for _, member in ipairs(found) do
    local bid, pid = string.match(member, '(%w+):(%w+)')
    if redis.call('HGET', bookings .. bid, 'state:' .. pid) ~= 'open' then
      redis.call('ZREM', wakeable, member) -- nobody knows of it any more
    else
      redis.call('ZADD', wakeable, string.format('%.0f', now + 600000), member)
      ask_for(bookings .. bid, open, queue, prefix, bid, pid, 'retry ' .. wid, now, grace, ttl)
    end
  end
  return #found
end

-- Takes a part out of the index of delayed writes, where it has one of this state at a calendar.
local function undelay(delayed, wid, state, member)
  local place = state .. ':' .. wid
  redis.call('ZREM', delayed .. ':' .. place, member)
  redis.call('ZREM', delayed .. ':wakeable:' .. wid, member)
  if redis.call('EXISTS', delayed .. ':' .. place) == 0 then
    redis.call('HDEL', delayed, place)
  end
end

-- Marks a part as gone in a revision, so that a worker removes what it has in calendars.
local function withdraw(booking, open, queue, prefix, bid, pid, revision, now, grace, ttl)
  redis.call('HSET', booking, 'rev:' .. pid, revision, 'gone:' .. pid, revision, 'state:' .. pid, 'open')
  wake(booking, open, queue, prefix, bid, pid, now, now, grace, ttl)
end
