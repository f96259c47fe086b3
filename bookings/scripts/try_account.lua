-- Has a parked account tried again now: its clock ends, and of the next requests one goes first.
--
-- KEYS  1 clock of the account   2 clock of the lane
-- ARGV  1 job prefix   2 name of the account
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
local lanes = lanes_of(ARGV[1], ARGV[2])

-- Tried before the first write (docs/decisions/014).
redis.call('ZADD', ARGV[1] .. ':turns', 'XX', '0', '')

for _, clock_of in ipairs(parked) do
  redis.call('HSET', clock_of, 'until', string.format('%.0f', now))
end
call_lanes(ARGV[1], lanes, now)
return {'tried'}
