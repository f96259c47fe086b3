-- Keeps a user's consent, in one step with letting go of the one before.
--
-- KEYS  1 consent hash
-- ARGV  1 the consent, sealed   2 version that it replaces, or '' for whatever is there
-- Gives {version} | {''} (there is another one by now, or none any more)

local version = redis.call('HGET', KEYS[1], 'version')
if ARGV[2] ~= '' and version ~= ARGV[2] then
  return {''}
end
-- At least the clock, in microseconds: forgotten and given anew at once, it is not the same.
local now = redis.call('TIME')
version = string.format('%.0f', math.max((tonumber(version) or 0) + 1, now[1] * 1000000 + now[2]))
redis.call('HSET', KEYS[1], 'sealed', ARGV[1], 'version', version)
return {version}
