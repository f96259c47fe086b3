-- Writes down what became known of a link, if it is still there: a hash made anew would never expire.
--
-- KEYS  1 link hash   2 what holds the link's id under Cronofy's name of it, where that becomes known
-- ARGV  1 link id   2... field, value, ...
-- Gives {'amended'} | {'gone'}

local life = redis.call('PTTL', KEYS[1])
if life < 0 then
  return {'gone'}
end

-- Tried before the first write (docs/decisions/014).
if KEYS[2] then
  redis.call('SET', KEYS[2] .. ':none', '', 'XX')
end

redis.call('HSET', KEYS[1], unpack(ARGV, 2))
if KEYS[2] then
  redis.call('SET', KEYS[2], ARGV[1], 'PX', life)
end
return {'amended'}
