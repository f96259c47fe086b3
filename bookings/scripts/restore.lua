-- Puts an exported dead letter back: one write of one part, dead as it was.
--
-- KEYS  1 booking hash   2 dead letters   3 index of bookings
-- ARGV  1 booking id   2 part id   3 app   4 event_id   5 link id or ''   6 revision   7 part JSON
--       8 write id   9 write JSON   10 when it died (ms)   11 'gone' where its part was withdrawn, or ''
-- Gives {'restored'} | {'there'} (the record knows this write) | {'busy'} (its part is open, and a worker's to change)
--       | {'overtaken', revision}

local booking, bid, pid = KEYS[1], ARGV[1], ARGV[2]
local known = redis.call('HMGET', booking, 'rev:' .. pid, 'writes:' .. pid, 'revision', 'parts', 'state:' .. pid)
if known[1] and tonumber(known[1]) > tonumber(ARGV[6]) then
  return {'overtaken', known[1]}
end
local writes = '[' .. ARGV[9] .. ']'
if known[2] and known[2] ~= '[]' then
  if string.find(known[2], '"id":"' .. ARGV[8] .. '"', 1, true) then
    return {'there'}
  end
  writes = string.sub(known[2], 1, -2) .. ',' .. ARGV[9] .. ']'
end
if known[5] == 'open' then
  return {'busy'}
end
local parts = known[4] or ''
if ARGV[11] == '' and not string.find(' ' .. parts .. ' ', ' ' .. pid .. ' ', 1, true) then
  parts = parts == '' and pid or parts .. ' ' .. pid
end
local revision = string.format('%.0f', math.max(tonumber(known[3]) or 0, tonumber(ARGV[6])))

-- Tried before the first write (docs/decisions/014).
redis.call('ZADD', KEYS[2], 'XX', '0', '')
may_hold(held_by(KEYS[2], ARGV[3]))
redis.call('HDEL', booking, '')
redis.call('PERSIST', booking .. ':none')

redis.call('HSET', booking, 'writes:' .. pid, writes, 'part:' .. pid, ARGV[7], 'rev:' .. pid, ARGV[6],
  'state:' .. pid, 'dead', 'revision', revision, 'parts', parts)
if ARGV[11] == '' then
  redis.call('HDEL', booking, 'gone:' .. pid)
else
  redis.call('HSET', booking, 'gone:' .. pid, ARGV[6])
end
if not known[3] then
  redis.call('HSET', booking, 'app', ARGV[3], 'event_id', ARGV[4], 'link', ARGV[5], 'accepted_at', ARGV[10])
  redis.call('ZADD', KEYS[3], ARGV[10], bid)
end
redis.call('PERSIST', booking)
redis.call('ZADD', KEYS[2], ARGV[10], bid .. ':' .. pid .. ':' .. ARGV[8])
hold(held_by(KEYS[2], ARGV[3]), {bid .. ':' .. pid .. ':' .. ARGV[8]})
return {'restored'}
