-- Takes the lease of a part, and reads the part after it is held.
--
-- KEYS  1 booking hash   2 open
-- ARGV  1 booking id   2 part id   3 holder (unique to this claim)   4 lease (ms)   5 job prefix
-- Gives {'claimed', fence, revision, app, event_id, link, part JSON, writes JSON or '', asks, 'gone' or '',
--       from, Redis' clock (ms)}
--       | {'held', until ms} | {'finished'} (nothing open) | {'missing'} (no such part)
--
-- Asked again by the same holder (its first answer was lost), it gives the same lease.

local booking, bid, pid = KEYS[1], ARGV[1], ARGV[2]
local now = clock()
local fields = redis.call('HMGET', booking, 'rev:' .. pid, 'state:' .. pid, 'lease:' .. pid, 'app',
  'event_id', 'link', 'part:' .. pid, 'writes:' .. pid, 'asks:' .. pid, 'gone:' .. pid, 'fence',
  'from:' .. pid, 'lines:' .. pid)
if not fields[1] then
  redis.call('ZREM', KEYS[2], bid .. ':' .. pid)
  return {'missing'}
end
if fields[2] ~= 'open' then
  redis.call('ZREM', KEYS[2], bid .. ':' .. pid)
  return {'finished'}
end

local fence, newest = nil, fields[11]
if fields[3] then
  local held_fence, till, holder = string.match(fields[3], '(%d+) (%d+) (%S+)')
  if holder == ARGV[3] then
    fence = held_fence
  elseif tonumber(till) > now then
    return {'held', till}
  end
end
if not fence then
  -- At least the clock, as the revision is: a Redis that lost its newest changes gives no fence twice.
  fence = string.format('%.0f', math.max((tonumber(fields[11]) or 0) + 1, now))
  newest = fence
end
local till = string.format('%.0f', now + tonumber(ARGV[4]))

-- Tried before the first write (docs/decisions/014).
redis.call('ZADD', KEYS[2], 'XX', '0', '')

if fields[13] then
  may_leave(ARGV[5])
end

redis.call('HSET', booking, 'fence', newest, 'lease:' .. pid, fence .. ' ' .. till .. ' ' .. ARGV[3])
redis.call('ZADD', KEYS[2], till, bid .. ':' .. pid)
if fields[13] then -- it waits no more: should its holder die, the reconciler has it done
  leave_lines(booking, ARGV[5], bid, pid, fields[13])
end
return {'claimed', fence, fields[1], fields[4], fields[5], fields[6] or '', fields[7], fields[8] or '',
  fields[9] or '', fields[10] and 'gone' or '', fields[12] or '', string.format('%.0f', now)}
