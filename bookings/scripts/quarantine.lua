-- Keeps a signed delivery that cannot be taken, as a dead letter. Kept once, however often it is sent.
--
-- KEYS  1 delivery hash   2 dead letters
-- ARGV  1 delivery id   2 most dead letters of this app   3 app   4 link id or ''   5 what is wrong, in words
--       6 field of the body: 'body', or 'sealed'   7 body   8 signature   9 reason: 'unreadable' | 'unknown_link'
--       10 event_id, or '' where nobody can read it   11 when it came (ms), or '' for now
-- Gives {'quarantined'} | {'dead_letters_full'}

if redis.call('EXISTS', KEYS[1]) == 1 then
  return {'quarantined'}
end
if redis.call('ZCARD', held_by(KEYS[2], ARGV[3])) >= tonumber(ARGV[2]) then
  return {'dead_letters_full'}
end
local at = ARGV[11] ~= '' and ARGV[11] or string.format('%.0f', clock())

-- Tried before the first write (docs/decisions/014).
redis.call('ZADD', KEYS[2], 'XX', '0', '')
may_hold(held_by(KEYS[2], ARGV[3]))

redis.call('HSET', KEYS[1], 'app', ARGV[3], 'link', ARGV[4], 'reason', ARGV[5], ARGV[6], ARGV[7], 'signature', ARGV[8],
  'kind', ARGV[9], 'event_id', ARGV[10], 'at', at)
redis.call('ZADD', KEYS[2], at, 'delivery:' .. ARGV[1])
hold(held_by(KEYS[2], ARGV[3]), {'delivery:' .. ARGV[1]})
return {'quarantined'}
