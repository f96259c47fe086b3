-- An account works again: its clocks go, and the parts that wait for it are queued at once.
--
-- KEYS  1 clock of the account   2 clock of the lane   3 index of clocks   4 parts that wait   5 open   6 queue
-- ARGV  1 job prefix   2 prefix of booking keys   3 grace (ms)   4 life of a job's payload (ms)
--       5 most parts to queue   6 name of the account in the index   7 name of the lane
-- Gives {number queued, number left}

local now = clock()
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('SREM', KEYS[3], ARGV[6], ARGV[7])
local waiting = redis.call('ZRANGE', KEYS[4], 0, tonumber(ARGV[5]) - 1)
local queued = 0
for _, member in ipairs(waiting) do
  local bid, pid = string.match(member, '(%w+):(%w+)')
  local booking = ARGV[2] .. bid
  redis.call('ZREM', KEYS[4], member)
  if redis.call('HGET', booking, 'state:' .. pid) == 'open' then
    wake(booking, KEYS[5], KEYS[6], ARGV[1], bid, pid, now, now, tonumber(ARGV[3]), tonumber(ARGV[4]))
    queued = queued + 1
  end
end
return {queued, redis.call('ZCARD', KEYS[4])}
