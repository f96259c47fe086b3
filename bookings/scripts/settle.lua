-- Writes the outcome down and gives the lease back; or keeps it if a newer revision came in meanwhile.
--
-- KEYS  1 booking hash   2 open   3 queue   4 index of bookings   5 dead letters
-- ARGV  1 job prefix   2 booking id   3 part id   4 fence   5 lease (ms)   6 grace (ms)
--       7 life of a job's payload (ms)   8 revision that was handled   9 writes JSON
--       10 state: open | dead | done   11 when an open part is due again (ms)   12 end of the part (ms)
--       13 how long a finished booking is kept after its end (ms)   14 and at the least from now (ms)
--       15 the asks that were handled   16 number of dead writes, then their ids; after them the ids of
--       writes that are not dead
-- Gives {'released'} | {'again', revision, part JSON, asks, 'gone' or '', from} | {'lost'}

local booking, bid, pid = KEYS[1], ARGV[2], ARGV[3]
local fields = redis.call('HMGET', booking, 'lease:' .. pid, 'rev:' .. pid, 'part:' .. pid, 'asks:' .. pid,
  'gone:' .. pid, 'from:' .. pid)
local fence, _, holder = string.match(fields[1] or '', '(%d+) (%d+) (%S+)')
if fence ~= ARGV[4] then
  return {'lost'}
end
local now = clock()
redis.call('HSET', booking, 'writes:' .. pid, ARGV[9], 'end:' .. pid, ARGV[12])

local asks = string.sub(fields[4] or '', #ARGV[15] + 1)
if asks == '' then
  redis.call('HDEL', booking, 'asks:' .. pid)
else
  redis.call('HSET', booking, 'asks:' .. pid, asks)
end

local dead = tonumber(ARGV[16])
for i = 17, #ARGV do
  local member = bid .. ':' .. pid .. ':' .. ARGV[i]
  if i < 17 + dead then
    redis.call('ZADD', KEYS[5], 'NX', string.format('%.0f', now), member)
  else
    redis.call('ZREM', KEYS[5], member)
  end
end

if tonumber(fields[2]) > tonumber(ARGV[8]) or asks ~= '' then
  local till = string.format('%.0f', now + tonumber(ARGV[5]))
  redis.call('HSET', booking, 'lease:' .. pid, fence .. ' ' .. till .. ' ' .. holder)
  redis.call('ZADD', KEYS[2], till, bid .. ':' .. pid)
  return {'again', fields[2], fields[3], asks, fields[5] and 'gone' or '', fields[6] or ''}
end

redis.call('HDEL', booking, 'lease:' .. pid)
redis.call('HSET', booking, 'state:' .. pid, ARGV[10])
if ARGV[10] == 'open' then
  wake(booking, KEYS[2], KEYS[3], ARGV[1], bid, pid, now, math.max(now, tonumber(ARGV[11])), tonumber(ARGV[6]),
    tonumber(ARGV[7]))
  return {'released'}
end
redis.call('ZREM', KEYS[2], bid .. ':' .. pid)

-- The record goes once everything in it is done; never while a write of it is open or dead.
local last = 0
local record = redis.call('HGETALL', booking)
for i = 1, #record, 2 do
  local name, value = record[i], record[i + 1]
  if string.sub(name, 1, 6) == 'state:' and value ~= 'done' then
    return {'released'}
  end
  if string.sub(name, 1, 4) == 'end:' then
    last = math.max(last, tonumber(value))
  end
end
local expires = math.max(last + tonumber(ARGV[13]), now + tonumber(ARGV[14]))
redis.call('PEXPIREAT', booking, string.format('%.0f', expires))
return {'released'}
