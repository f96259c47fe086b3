-- Takes out of the index of delayed writes what its part does not know to be there: a Redis that lost its newest
-- changes, or a worker of an older version, may leave it. Only the oldest of each calendar are looked at; what nobody
-- takes out is among them before long.
--
-- KEYS  1 index of delayed writes
-- ARGV  1 prefix of booking keys   2 where to go on, or '0'   3 how many of each calendar
-- Gives {where to go on, or '0', number taken out}

local page = redis.call('HSCAN', KEYS[1], ARGV[2], 'COUNT', 20)
local unknown = {}
for i = 1, #page[2], 2 do
  local state, wid = string.match(page[2][i], '(%w+):(%w+)')
  for _, member in ipairs(redis.call('ZRANGE', KEYS[1] .. ':' .. page[2][i], 0, tonumber(ARGV[3]) - 1)) do
    local bid, pid = string.match(member, '(%w+):(%w+)')
    local fields = redis.call('HMGET', ARGV[1] .. bid, 'state:' .. pid, 'delayed:' .. pid)
    local known = string.find('\n' .. (fields[2] or ''), '\n' .. wid .. ' ' .. state .. '\n', 1, true)
    if fields[1] ~= 'open' or not known then
      unknown[#unknown + 1] = {wid, state, member}
    end
  end
end

-- Tried before the first write (docs/decisions/014).
may_undelay(KEYS[1])

for _, each in ipairs(unknown) do
  undelay(KEYS[1], unpack(each))
end
return {page[1], #unknown}
