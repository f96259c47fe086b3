-- Writes the outcome down and gives the lease back; or keeps it if a newer revision came in meanwhile.
--
-- KEYS  1 booking hash   2 open   3 queue   4 index of bookings   5 dead letters   6 index of delayed writes
-- ARGV  1 job prefix   2 booking id   3 part id   4 fence   5 lease (ms)   6 grace (ms)
--       7 life of a job's payload (ms)   8 revision that was handled   9 writes JSON
--       10 state: open | dead | done   11 when an open part is due again (ms)   12 end of the part (ms)
--       13 how long a finished booking is kept after its end (ms)   14 and at the least from now (ms)
--       15 the asks that were handled   16 prefix of booking keys   17 the ids of writes that were just made
--       18 number of delayed writes   19 number of dead writes; then for each delayed write: id, state, since when
--       (ms), 'own' where it is parked for its own calendar or '', what is shown of that; then the ids of the dead
--       writes; then the ids of writes that are not dead
-- Gives {'released'} | {'again', revision, part JSON, asks, 'gone' or '', from} | {'lost'}

local booking, bid, pid = KEYS[1], ARGV[2], ARGV[3]

-- Brings the index of delayed writes up to the part's own, by what the part knows to be in there.
local function index_delayed(told, count, now)
  local there, lines = {}, {}
  for wid, state in string.gmatch(told, '(%S+) (%S+)\n') do
    there[wid] = state
  end
  for i = 20, 19 + 5 * count, 5 do
    local wid, state, since, own, shown = unpack(ARGV, i, i + 4)
    if there[wid] and (there[wid] ~= state or own == '') then
      undelay(KEYS[6], wid, there[wid], bid .. ':' .. pid)
    end
    there[wid] = nil
    redis.call('HSET', KEYS[6], state .. ':' .. wid, shown)
    redis.call('ZADD', KEYS[6] .. ':' .. state .. ':' .. wid, since, bid .. ':' .. pid)
    if own ~= '' then
      redis.call('ZADD', KEYS[6] .. ':wakeable:' .. wid, 'NX', now, bid .. ':' .. pid)
    end
    lines[#lines + 1] = wid .. ' ' .. state .. '\n'
  end
  for wid, state in pairs(there) do
    undelay(KEYS[6], wid, state, bid .. ':' .. pid)
  end
  if #lines == 0 then
    redis.call('HDEL', booking, 'delayed:' .. pid)
  else
    redis.call('HSET', booking, 'delayed:' .. pid, table.concat(lines))
  end
end

local fields = redis.call('HMGET', booking, 'lease:' .. pid, 'rev:' .. pid, 'part:' .. pid, 'asks:' .. pid,
  'gone:' .. pid, 'from:' .. pid, 'delayed:' .. pid)
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

local delayed, dead = tonumber(ARGV[18]), tonumber(ARGV[19])
local first_dead = 20 + 5 * delayed
if delayed > 0 or fields[7] then
  index_delayed(fields[7] or '', delayed, string.format('%.0f', now))
end
for wid in string.gmatch(ARGV[17], '%S+') do
  wake_parked(ARGV[16], KEYS[2], KEYS[3], KEYS[6], ARGV[1], wid, string.format('%.0f', now), 10, now,
    tonumber(ARGV[6]), tonumber(ARGV[7]))
end

for i = first_dead, #ARGV do
  local member = bid .. ':' .. pid .. ':' .. ARGV[i]
  if i < first_dead + dead then
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
