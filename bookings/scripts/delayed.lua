-- Put before every script that asks for parts, or knows delayed writes. Not a script of its own.

-- Tries what `ask_for` does; gives the queue that it wakes a worker by.
local function may_ask(booking, queues, prefix)
  local queue = may_wake(booking, queues, prefix)
  redis.call('PERSIST', booking .. ':none')
  return queue
end

-- Leaves a line for whoever works on a part next, and has somebody do so now.
local function ask_for(booking, open, queue, prefix, bid, pid, what, now, grace, ttl)
  local asks = redis.call('HGET', booking, 'asks:' .. pid) or ''
  redis.call('HSET', booking, 'asks:' .. pid, asks .. what .. '\n', 'state:' .. pid, 'open')
  redis.call('PERSIST', booking)
  wake(open, queue, prefix, bid, pid, now, now, grace, ttl)
end

-- What is parked for a calendar and to be tried again: the first `most` of those that may be woken by `till`, and what
-- nobody knows of any more; but for one part. Tries what `wake_parked` does with it. Nil where there is none.
local function parked_for(bookings, queues, delayed, prefix, wid, till, most, but)
  local wakeable = delayed .. ':wakeable:' .. wid
  local members = redis.call('ZRANGEBYSCORE', wakeable, '-inf', till, 'LIMIT', '0', most)
  if #members == 0 then
    return nil
  end
  redis.call('ZADD', wakeable, 'XX', '0', '')
  redis.call('ZREM', wakeable, '')
  redis.call('PERSIST', bookings .. 'none')
  redis.call('HGET', bookings .. 'none', '')
  for i, member in ipairs(members) do
    if member == but then
      table.remove(members, i)
      break
    end
  end
  local due, gone = open_among(members, bookings, queues, prefix)
  return {wid = wid, wakeable = wakeable, due = due, gone = gone}
end

-- Has it tried again. One that is woken in vain has reasons of its own: no success wakes it again before ten minutes
-- are over.
local function wake_parked(found, open, prefix, now, grace, ttl)
  for _, each in ipairs(found.due) do
    ask_for(each.booking, open, each.queue, prefix, each.bid, each.pid, 'retry ' .. found.wid, now, grace, ttl)
    redis.call('ZADD', found.wakeable, string.format('%.0f', now + 600000), each.bid .. ':' .. each.pid)
  end
  if #found.gone > 0 then
    redis.call('ZREM', found.wakeable, unpack(found.gone))
  end
  return #found.due + #found.gone
end

-- Tries what `undelay` does.
local function may_undelay(delayed)
  redis.call('ZREM', delayed .. ':none', '')
  redis.call('EXISTS', delayed .. ':none')
  redis.call('HDEL', delayed, '')
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
