-- Gives an office back, if it is still held.
--
-- KEYS  1 the office
-- ARGV  1 who holds it
-- Gives {1} | {0}

if redis.call('GET', KEYS[1]) == ARGV[1] then
  return {redis.call('DEL', KEYS[1])}
end
return {0}
