-- Keeps a signed delivery that could not be read, as a dead letter. Kept once, however often it is sent.
--
-- KEYS  1 delivery hash   2 dead letters   3 link hash, on a link's URL
-- ARGV  1 delivery id   2 most dead letters   3 app   4 link id or ''   5 reason
--       6 field of the body: 'body', or 'sealed'   7 body   8 signature
-- Gives {'quarantined'} | {'unknown_link'} | {'dead_letters_full'}

if KEYS[3] and redis.call('EXISTS', KEYS[3]) == 0 then
  return {'unknown_link'}
end
if redis.call('EXISTS', KEYS[1]) == 1 then
  return {'quarantined'}
end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[2]) then
  return {'dead_letters_full'}
end
local now = string.format('%.0f', clock())
redis.call('HSET', KEYS[1], 'app', ARGV[3], 'link', ARGV[4], 'reason', ARGV[5], ARGV[6], ARGV[7], 'signature', ARGV[8],
  'at', now)
redis.call('ZADD', KEYS[2], now, 'delivery:' .. ARGV[1])
return {'quarantined'}
