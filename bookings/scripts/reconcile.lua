-- Looks at parts that nobody has looked at in time and queues them again where nothing is left to have them done.
--
-- KEYS  1 open   2 queues
-- ARGV  1 job prefix   2 prefix of booking keys   3 grace (ms)   4 life of a job's payload (ms)
--       5 most parts to look at   6 look again at a part still queued after (ms)   7 at one that stands in a line (ms)
-- Gives {number looked at, number queued again}
--
-- It builds the names of keys it was not given: Redis Cluster is not supported.

local prefix, now = ARGV[1], clock()
-- What an earlier version queued is in the one queue that it had.
local former = redis.call('EXISTS', KEYS[2]) == 1
local overdue = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, ARGV[5])
if #overdue == 0 and not former then
  return {0, 0}
end
local due, later, over, queues, lanes = {}, {}, {}, {}, {}
for _, member in ipairs(overdue) do
  local bid, pid = string.match(member, '(%w+):(%w+)')
  local fields = redis.call('HMGET', ARGV[2] .. bid, 'state:' .. pid, 'lease:' .. pid, 'app', 'lines:' .. pid)
  local till = fields[2] and tonumber(string.match(fields[2], '%d+ (%d+)')) or 0
  local job, queue = job_name(prefix, bid, pid), KEYS[2] .. ':app:' .. (fields[3] or '')
  local score = fields[1] == 'open' and till <= now and redis.call('ZSCORE', queue, job)
  if fields[1] ~= 'open' then
    over[#over + 1] = member
  elseif till > now then
    later[#later + 1], later[#later + 2] = string.format('%.0f', till), member
  elseif score and redis.call('EXISTS', 'arq:job:' .. job) == 1 then
    later[#later + 1], later[#later + 2] = string.format('%.0f', now + tonumber(ARGV[6])), member
    queues[queue] = math.min(queues[queue] or math.huge, tonumber(score))
  elseif fields[4] and tonumber(string.match(fields[4], '%d+')) > now and stands(fields[4], prefix, bid, pid) then
    later[#later + 1], later[#later + 2] = string.format('%.0f', now + tonumber(ARGV[7])), member
    for _, _, _, most, lane in string.gmatch(fields[4], IN_LINE) do
      lanes[lane] = most
    end
  else
    due[#due + 1] = {queue, bid, pid}
  end
end

-- Tried before the first write (docs/decisions/014).
may_queue(KEYS[2] .. ':app:', prefix)
redis.call('ZREM', KEYS[1], '')
redis.call('HDEL', prefix .. ':lanes', '')

-- Turns are no more than a view of the queues: those that were lost are made anew.
for lane, most in pairs(lanes) do
  redis.call('HSET', prefix .. ':lanes', lane, most)
  redis.call('ZADD', prefix .. ':turns', 'LT', string.format('%.0f', now), queue_of(prefix, lane))
end
for _, each in ipairs(due) do
  wake(KEYS[1], each[1], prefix, each[2], each[3], now, now, tonumber(ARGV[3]), tonumber(ARGV[4]))
end
if #later > 0 then
  redis.call('ZADD', KEYS[1], unpack(later))
end
if #over > 0 then
  redis.call('ZREM', KEYS[1], unpack(over))
end
if former then
  redis.call('ZADD', prefix .. ':turns', 'LT', string.format('%.0f', now), KEYS[2])
end
for queue, at in pairs(queues) do
  redis.call('ZADD', prefix .. ':turns', 'LT', string.format('%.0f', at), queue)
end
return {#overdue, #due}
