-- Takes jobs that are due out of a queue. Whoever takes them claims their parts next; should it not come to that,
-- the reconciler queues them again.
--
-- KEYS  1 queue
-- ARGV  1 job prefix   2 most jobs
-- Gives their ids, the longest due first

local jobs = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', clock()), 'LIMIT', 0, ARGV[2])
if #jobs == 0 then
  return jobs
end
local payloads = {}
for i, job in ipairs(jobs) do
  payloads[i] = 'arq:job:' .. job
end

-- Tried before the first write (docs/decisions/014).
redis.call('DEL', 'arq:job:' .. ARGV[1])

redis.call('ZREM', KEYS[1], unpack(jobs))
redis.call('DEL', unpack(payloads))
if #jobs == tonumber(ARGV[2]) then
  ring(ARGV[1]) -- there may be more, for somebody else
end
return jobs
