-- Put before every script that queues jobs. Not a script of its own.
--
-- A part's record is its fields in the booking's hash:
--   part:<pid>    the part as booked (JSON)           rev:<pid>    its revision
--   writes:<pid>  its writes (JSON)                   state:<pid>  open | dead | done
--   lease:<pid>   "<fence> <until ms> <holder>"       end:<pid>    when the part is over (ms)
--   gone:<pid>    the revision in which it was withdrawn
--   asks:<pid>    what an operator asks for, a line each
--   lines:<pid>   where it waits: "<give up at ms>", then "<start ms> <lane>" of each lane, a line each
--   delayed:<pid> where the index has it: "<write id> <state>" of each delayed write, a line each
--   from:<pid>    "<delivery> <traceparent>" of its revision; the traceparent may be empty
-- The sorted set `open` holds "<bid>:<pid>" of every part with open writes, scored by the time at which
-- the reconciler has to look at it should nobody else have done so. arq's queues are only the wake-up: one for each
-- app, with the job of a part once at the most, and one for each lane (a mailbox, or a Google account). The sorted set
-- `turns` holds the names of the queues that have something to take, scored by when: workers take from them in turn.
-- The list `bell` holds one element while there may be jobs for a worker that rests: one of them takes it.

-- A booking's next revision: above all it had, and all that workers found in calendars; at least the clock. So it
-- keeps rising although a record expired or a Redis was lost, and with it the fence in the events at the providers.
local function next_revision(prefix, previous, now)
  local seen = tonumber(redis.call('GET', prefix .. ':seen')) or 0
  return string.format('%.0f', math.max(previous + 1, seen + 1, now))
end

-- The name of a part's arq job: a part that is queued again only moves in its queue.
local function job_name(prefix, bid, pid)
  return prefix .. ':' .. bid .. ':' .. pid
end

-- Writes an arq job down in arq's own format; its entry in the queue is the caller's. Times are texts.
-- The ids are letters and digits, so they need no JSON escaping.
local function write_job(job, bid, pid, now, ttl)
  redis.call('SET', 'arq:job:' .. job, '{"t":null,"f":"sync_part","a":["' .. bid .. '","' .. pid
    .. '"],"k":{},"et":' .. now .. '}', 'PX', ttl)
end

-- Has one worker that rests look at the queues now. No more than a hint: should none hear it, or Redis refuse it, they
-- look at them anyhow before long.
local function ring(prefix)
  if redis.pcall('LLEN', prefix .. ':bell') == 0 then
    redis.pcall('LPUSH', prefix .. ':bell', '1')
  end
end

-- Tries what queuing a job takes (docs/decisions/014).
local function may_queue(queue, prefix)
  redis.call('ZADD', queue, 'XX', '0', '')
  redis.call('ZADD', prefix .. ':turns', 'XX', '0', '')
  redis.call('SET', 'arq:job:' .. prefix, '', 'XX')
end

-- Gives the queue that a booking's jobs go into, once `wake` may use it.
local function may_wake(booking, queues, prefix)
  local queue = queues .. ':app:' .. (redis.call('HGET', booking, 'app') or '')
  may_queue(queue, prefix)
  return queue
end

-- Of parts ("<bid>:<pid>") those with something to write, each with its queue, once `wake` may use that; and the others.
local function open_among(members, bookings, queues, prefix)
  local due, others, tried = {}, {}, {}
  for _, member in ipairs(members) do
    local bid, pid = string.match(member, '(%w+):(%w+)')
    local booking = bookings .. bid
    local fields = redis.call('HMGET', booking, 'state:' .. pid, 'app')
    if fields[1] == 'open' then
      local queue = queues .. ':app:' .. (fields[2] or '')
      if not tried[queue] then
        may_queue(queue, prefix)
        tried[queue] = true
      end
      due[#due + 1] = {booking = booking, queue = queue, bid = bid, pid = pid}
    else
      others[#others + 1] = member
    end
  end
  return due, others
end

-- Queues a part's arq job, due at `due`, in a queue that `may_wake` gave; one that is there is moved.
local function wake(open, queue, prefix, bid, pid, now, due, grace, ttl)
  local job, at = job_name(prefix, bid, pid), string.format('%.0f', due)
  write_job(job, bid, pid, due > now and string.format('%.0f', now) or at, string.format('%.0f', due - now + ttl))
  redis.call('ZADD', queue, at, job)
  redis.call('ZADD', prefix .. ':turns', 'LT', at, queue)
  redis.call('ZADD', open, string.format('%.0f', due + grace), bid .. ':' .. pid)
  if due <= now then
    ring(prefix)
  end
end

-- Marks a part as gone in a revision, so that a worker removes what it has in calendars.
local function withdraw(booking, open, queue, prefix, bid, pid, revision, now, grace, ttl)
  redis.call('HSET', booking, 'rev:' .. pid, revision, 'gone:' .. pid, revision, 'state:' .. pid, 'open')
  hold(held_by(open, redis.call('HGET', booking, 'app')), {bid .. ':' .. pid})
  wake(open, queue, prefix, bid, pid, now, now, grace, ttl)
end
