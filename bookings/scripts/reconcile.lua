-- Looks at parts that nobody has looked at in time and queues them again where no job is left to do so.
--
-- KEYS  1 open   2 queue
-- ARGV  1 job prefix   2 prefix of booking keys   3 grace (ms)   4 life of a job's payload (ms)
--       5 most parts to look at   6 look again at a part still queued after (ms)
--       7 and on: the apps that have a queue of their own
-- Gives {number looked at, number queued again}
--
-- It builds the names of keys it was not given: Redis Cluster is not supported.

local now = clock()
local overdue = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, ARGV[5])
if #overdue == 0 then
  return {0, 0}
end
local queues, owners = {[''] = KEYS[2]}, {}
for i = 7, #ARGV do
  owners[ARGV[i]] = ARGV[i]
  queues[ARGV[i]] = queue_named(KEYS[2], ARGV[i])
end
local moved, due, later, over = {}, {}, {}, {}
for _, member in ipairs(overdue) do
  local bid, pid = string.match(member, '(%w+):(%w+)')
  local booking = ARGV[2] .. bid
  local fields = redis.call('HMGET', booking, 'state:' .. pid, 'lease:' .. pid, 'job:' .. pid, 'app', 'queue')
  local till = fields[2] and tonumber(string.match(fields[2], '%d+ (%d+)')) or 0
  local job = fields[3]
  local queue = owners[fields[4]] or ''
  if fields[1] and (fields[5] or '') ~= queue then
    moved[booking] = queue -- the configuration has changed
  end
  if fields[1] ~= 'open' then
    over[#over + 1] = member
  elseif till > now then
    later[#later + 1], later[#later + 2] = string.format('%.0f', till), member
  elseif job and redis.call('ZSCORE', queues[queue], job) and redis.call('EXISTS', 'arq:job:' .. job) == 1 then
    later[#later + 1], later[#later + 2] = string.format('%.0f', now + tonumber(ARGV[6])), member
  else
    due[#due + 1] = {booking, queues[queue], bid, pid}
  end
end

-- Tried before the first write (docs/decisions/014).
for _, queue in pairs(queues) do
  may_queue(queue, ARGV[1])
end
redis.call('ZREM', KEYS[1], '')
redis.call('HGET', ARGV[2] .. 'none', '')

for booking, queue in pairs(moved) do
  redis.call('HSET', booking, 'queue', queue)
end
for _, each in ipairs(due) do
  wake(each[1], KEYS[1], each[2], ARGV[1], each[3], each[4], now, now, tonumber(ARGV[3]), tonumber(ARGV[4]))
end
if #later > 0 then
  redis.call('ZADD', KEYS[1], unpack(later))
end
if #over > 0 then
  redis.call('ZREM', KEYS[1], unpack(over))
end
return {#overdue, #due}
