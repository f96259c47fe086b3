-- An account works again: its clocks go, and the parts that wait for it are queued at once.
--
-- KEYS  1 clock of the account   2 clock of the lane   3 index of clocks   4 parts that wait   5 open   6 queue
-- ARGV  1 job prefix   2 prefix of booking keys   3 grace (ms)   4 life of a job's payload (ms)
--       5 most parts to queue   6 name of the account in the index   7 name of the lane
-- Gives {number queued, number left}

local now = clock()
local waiting = redis.call('ZRANGE', KEYS[4], 0, tonumber(ARGV[5]) - 1)
local left = redis.call('ZCARD', KEYS[4]) - #waiting

-- Tried before the first write (docs/decisions/014).
redis.call('ZREM', KEYS[4], '')
redis.call('SREM', KEYS[3], '')
redis.call('DEL', KEYS[1] .. ':none')
local due = open_among(waiting, ARGV[2], KEYS[6], ARGV[1])

for _, each in ipairs(due) do
  wake(each.booking, KEYS[5], each.queue, ARGV[1], each.bid, each.pid, now, now, tonumber(ARGV[3]), tonumber(ARGV[4]))
end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('SREM', KEYS[3], ARGV[6], ARGV[7])
if #waiting > 0 then
  redis.call('ZREM', KEYS[4], unpack(waiting))
end
return {#due, left}
