-- Gives the lease of a part back before its outcome is known, so that another worker goes on at once.
--
-- KEYS  1 booking hash   2 open   3 queues
-- ARGV  1 job prefix   2 booking id   3 part id   4 fence   5 grace (ms)   6 life of a job's payload (ms)
-- Gives {'released'} | {'lost'}

local booking, bid, pid = KEYS[1], ARGV[2], ARGV[3]
local lease = redis.call('HGET', booking, 'lease:' .. pid)
if string.match(lease or '', '%d+') ~= ARGV[4] then
  return {'lost'}
end
local now = clock()

-- Tried before the first write (docs/decisions/014).
redis.call('HDEL', booking, '')
local queue = may_wake(booking, KEYS[3], ARGV[1])

wake(KEYS[2], queue, ARGV[1], bid, pid, now, now, tonumber(ARGV[5]), tonumber(ARGV[6]))
redis.call('HDEL', booking, 'lease:' .. pid)
return {'released'}
