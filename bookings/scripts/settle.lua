-- Writes the outcome down and gives the lease back; or keeps it if a newer revision came in meanwhile.
--
-- KEYS  1 booking hash   2 open   3 queues   4 index of bookings   5 dead letters   6 index of delayed writes
-- ARGV  1 job prefix   2 booking id   3 part id   4 fence   5 lease (ms)   6 grace (ms)
--       7 life of a job's payload (ms)   8 revision that was handled   9 writes JSON
--       10 state: open | dead | done   11 when an open part is due again (ms), or 0 where it only stands in lines   12 end of the part (ms)
--       13 how long a finished booking is kept after its end (ms)   14 and at the least from now (ms)
--       15 the asks that were handled   16 prefix of booking keys   17 the ids of writes that were just made
--       18 number of delayed writes   19 number of dead writes   20 the lines where it waits (see lines.lua) or ''; then for each delayed write: id, state, since when
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
  for i = 21, 20 + 5 * count, 5 do
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
  'gone:' .. pid, 'from:' .. pid, 'delayed:' .. pid, 'app')
local fence, _, holder = string.match(fields[1] or '', '(%d+) (%d+) (%S+)')
if fence ~= ARGV[4] then
  return {'lost'}
end
local now = clock()
local at, place = string.format('%.0f', now), bid .. ':' .. pid
local own_state, own_end = 'state:' .. pid, 'end:' .. pid
local asks = string.sub(fields[4] or '', #ARGV[15] + 1)
local again = tonumber(fields[2]) > tonumber(ARGV[8]) or asks ~= ''
local delayed = tonumber(ARGV[18])
local first_dead = 21 + 5 * delayed
local told, dead, letters, alive = {'writes:' .. pid, ARGV[9], own_end, ARGV[12]}, {}, {}, {}
for i = first_dead, #ARGV do
  local letter = place .. ':' .. ARGV[i]
  if i < first_dead + tonumber(ARGV[19]) then
    dead[#dead + 1], dead[#dead + 2] = at, letter
    letters[#letters + 1] = letter
  else
    alive[#alive + 1] = letter
  end
end

-- The record goes once everything in it is done; never while a write of it is open or dead.
local last = not again and ARGV[10] == 'done' and tonumber(ARGV[12])
if last then
  local record = redis.call('HGETALL', booking)
  for i = 1, #record, 2 do
    local name, value = record[i], record[i + 1]
    if string.sub(name, 1, 6) == 'state:' and value ~= 'done' and name ~= own_state then
      last = nil
      break
    end
    if string.sub(name, 1, 4) == 'end:' and name ~= own_end then
      last = math.max(last, tonumber(value))
    end
  end
end

-- Tried before the first write (docs/decisions/014).
redis.call('ZADD', KEYS[2], 'XX', '0', '')
redis.call('ZREM', KEYS[5], '')
redis.call('HDEL', booking, '')
if last then
  redis.call('PEXPIREAT', booking .. ':none', '0')
end
if delayed > 0 or fields[7] then
  may_undelay(KEYS[6])
  redis.call('ZADD', KEYS[6] .. ':none', 'XX', '0', '')
end
may_hold(held_by(KEYS[2], fields[8]))
may_hold(held_by(KEYS[5], fields[8]))
local queue = not again and ARGV[10] == 'open' and ARGV[11] ~= '0' and may_wake(booking, KEYS[3], ARGV[1])
local lined = not again and ARGV[20] ~= ''
if lined then
  may_stand(ARGV[1])
end
local parked = {}
for wid in string.gmatch(ARGV[17], '%S+') do
  parked[#parked + 1] = parked_for(ARGV[16], KEYS[3], KEYS[6], ARGV[1], wid, at, '10', place)
end

if asks ~= '' then
  told[#told + 1], told[#told + 2] = 'asks:' .. pid, asks
end
if again then
  local till = string.format('%.0f', now + tonumber(ARGV[5]))
  told[#told + 1], told[#told + 2] = 'lease:' .. pid, fence .. ' ' .. till .. ' ' .. holder
  redis.call('HSET', booking, unpack(told))
  redis.call('ZADD', KEYS[2], till, place)
else
  redis.call('HSET', booking, own_state, ARGV[10], unpack(told))
  redis.call('HDEL', booking, 'lease:' .. pid)
end
if fields[4] and asks == '' then
  redis.call('HDEL', booking, 'asks:' .. pid)
end
if delayed > 0 or fields[7] then
  index_delayed(fields[7] or '', delayed, at)
end
for _, found in ipairs(parked) do
  wake_parked(found, KEYS[2], ARGV[1], now, tonumber(ARGV[6]), tonumber(ARGV[7]))
end
if #dead > 0 then
  redis.call('ZADD', KEYS[5], 'NX', unpack(dead))
  hold(held_by(KEYS[5], fields[8]), letters)
end
if #alive > 0 then
  redis.call('ZREM', KEYS[5], unpack(alive))
  redis.call('ZREM', held_by(KEYS[5], fields[8]), unpack(alive))
end
if again then
  return {'again', fields[2], fields[3], asks, fields[5] and 'gone' or '', fields[6] or ''}
end
if lined then
  stand_in_lines(booking, ARGV[1], bid, pid, ARGV[20], now, tonumber(ARGV[7]))
end
if queue then
  wake(KEYS[2], queue, ARGV[1], bid, pid, now, math.max(now, tonumber(ARGV[11])), tonumber(ARGV[6]), tonumber(ARGV[7]))
  return {'released'}
end
if ARGV[10] == 'open' then
  redis.call('ZADD', KEYS[2], string.format('%.0f', math.min(tonumber(string.match(ARGV[20], '%d+')), now + 600000)), place)
  return {'released'}
end
redis.call('ZREM', KEYS[2], place)
redis.call('ZREM', held_by(KEYS[2], fields[8]), place)
if last then
  local expires = math.max(last + tonumber(ARGV[13]), now + tonumber(ARGV[14]))
  redis.call('PEXPIREAT', booking, string.format('%.0f', expires))
end
return {'released'}
