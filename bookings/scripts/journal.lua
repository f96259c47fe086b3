-- Writes a part's writes down while its lease is held, and makes the lease last longer.
--
-- KEYS  1 booking hash   2 open
-- ARGV  1 booking id   2 part id   3 fence   4 lease (ms)   5 writes JSON, or '' to only keep the lease
-- Gives {'ok', revision} (the part's newest) | {'lost'} (somebody else holds the lease now)

local booking, bid, pid = KEYS[1], ARGV[1], ARGV[2]
local fields = redis.call('HMGET', booking, 'lease:' .. pid, 'rev:' .. pid)
local fence, _, holder = string.match(fields[1] or '', '(%d+) (%d+) (%S+)')
if fence ~= ARGV[3] then
  return {'lost'}
end
local till = string.format('%.0f', clock() + tonumber(ARGV[4]))
local written = {'lease:' .. pid, fence .. ' ' .. till .. ' ' .. holder}
if ARGV[5] ~= '' then
  written[3], written[4] = 'writes:' .. pid, ARGV[5]
end

-- Tried before the first write (docs/decisions/014).
redis.call('ZADD', KEYS[2], 'XX', '0', '')

redis.call('HSET', booking, unpack(written))
redis.call('ZADD', KEYS[2], till, bid .. ':' .. pid)
return {'ok', fields[2]}
