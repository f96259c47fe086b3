-- Has a parked account tried again now: its clock ends, and of the next requests one goes first.
--
-- KEYS  1 clock of the account   2 clock of the lane   3 parts that wait   4 open   5 queue
-- ARGV  1 job prefix   2 prefix of booking keys   3 grace (ms)   4 life of a job's payload (ms)   5 most parts to wake
-- Gives {'free'} | {'tried'} | {'paused'} (the provider asked for a rest, and gets it)

local now = clock()
local parked = {}
for i = 1, 2 do
  local fields = redis.call('HMGET', KEYS[i], 'until', 'state')
  if fields[2] == 'paused' and tonumber(fields[1]) > now then
    return {'paused'}
  elseif fields[2] == 'parked' then
    parked[#parked + 1] = KEYS[i]
  end
end
if #parked == 0 then
  return {'free'}
end
local waiting = redis.call('ZRANGE', KEYS[3], 0, tonumber(ARGV[5]) - 1)

-- Tried before the first write (docs/decisions/014).
local due = open_among(waiting, ARGV[2], KEYS[5], ARGV[1])

for _, clock_of in ipairs(parked) do
  redis.call('HSET', clock_of, 'until', string.format('%.0f', now))
end
for _, each in ipairs(due) do
  wake(each.booking, KEYS[4], each.queue, ARGV[1], each.bid, each.pid, now, now, tonumber(ARGV[3]), tonumber(ARGV[4]))
end
return {'tried'}
