-- Notes a revision that was found in a calendar and is newer than the record: new ones begin above it.
--
-- KEYS  1 the newest revision that was found so
-- ARGV  1 the revision
-- Gives {'noted'} | {'known'}

local revision = tonumber(ARGV[1])
if revision <= (tonumber(redis.call('GET', KEYS[1])) or 0) then
  return {'known'}
end
redis.call('SET', KEYS[1], string.format('%.0f', revision))
return {'noted'}
