-- Makes an account (or a lane of it) wait.
--
-- KEYS  1 clock   2 index of clocks
-- ARGV  1 how long at the least (ms)   2 how long at the most, when it happens again and again (ms)
--       3 state: paused | parked   4 reason   5 name in the index
-- Gives {until (ms)}
--
-- Closed again before it went well, it waits twice as long as the last time. Whoever hears of the same trouble while
-- it is closed already adds nothing.

local now = clock()
local fields = redis.call('HMGET', KEYS[1], 'until', 'state', 'streak', 'since')
if fields[1] and tonumber(fields[1]) > now and not (fields[2] == 'paused' and ARGV[3] == 'parked') then
  local asked = now + tonumber(ARGV[1])
  if asked > tonumber(fields[1]) then
    redis.call('HSET', KEYS[1], 'until', string.format('%.0f', asked))
    return {string.format('%.0f', asked)}
  end
  return {fields[1]}
end
local streak = tonumber(fields[3]) or 0
local wait = math.max(tonumber(ARGV[1]), math.min(tonumber(ARGV[2]), tonumber(ARGV[1]) * 2 ^ streak))
local till = string.format('%.0f', now + wait)

-- SADD has no form that changes nothing either: where HSET is refused, it is taken back.
local added = redis.call('SADD', KEYS[2], ARGV[5])
local kept = redis.pcall('HSET', KEYS[1], 'until', till, 'state', ARGV[3], 'reason', ARGV[4], 'streak', streak + 1,
  'since', fields[4] or string.format('%.0f', now))
if type(kept) == 'table' then
  if added == 1 then
    redis.call('SREM', KEYS[2], ARGV[5])
  end
  return kept
end
return {till}
