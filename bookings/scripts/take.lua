-- Takes jobs that are due out of a queue. Whoever takes them claims their parts next; should it not come to that,
-- the reconciler queues them again.
--
-- KEYS  1 queue
-- ARGV  1 job prefix   2 most jobs
-- Gives their ids, the longest due first

local jobs = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', clock()), 'LIMIT', 0, ARGV[2])
for _, job in ipairs(jobs) do
  redis.call('ZREM', KEYS[1], job)
  redis.call('DEL', 'arq:job:' .. job)
end
if #jobs == tonumber(ARGV[2]) then
  ring(ARGV[1]) -- there may be more, for somebody else
end
return jobs
