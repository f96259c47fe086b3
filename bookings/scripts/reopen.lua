-- An account works again: its clocks go, and what waits for it goes on at its own pace; of an account that worked all
-- the while, only what waits for this lane.
--
-- KEYS  1 clock of the account   2 clock of the lane   3 index of clocks
-- ARGV  1 job prefix   2 name of the account in the index   3 name of the lane
-- Gives {number of lanes that go on}

local now = clock()
local lanes = {}
if redis.call('EXISTS', KEYS[1]) == 1 then
  lanes = lanes_of(ARGV[1], ARGV[2])
elseif redis.call('HGET', ARGV[1] .. ':lanes', ARGV[3]) then
  lanes = {ARGV[3]}
end

-- Tried before the first write (docs/decisions/014).
redis.call('SREM', KEYS[3], '')
redis.call('DEL', KEYS[1] .. ':none')
redis.call('ZADD', ARGV[1] .. ':turns', 'XX', '0', '')

redis.call('DEL', KEYS[1], KEYS[2])
redis.call('SREM', KEYS[3], ARGV[2], ARGV[3])
call_lanes(ARGV[1], lanes, now)
return {#lanes}
