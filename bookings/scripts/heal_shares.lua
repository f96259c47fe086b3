-- Brings what apps hold up to what there is: a Redis that lost its newest changes, or a process of an older version, may
-- have left the one without the other.
--
-- KEYS  1 all open parts, or all dead letters
-- ARGV  1 prefix of booking keys   2 prefix of delivery keys   3 the app to look at, or '' for what no app holds
--       4 where to go on, or '0'   5 how many
-- Gives {where to go on, or '0', number of changes}

local held = held_by(KEYS[1], ARGV[3])
local page = redis.call('ZSCAN', ARGV[3] == '' and KEYS[1] or held, ARGV[4], 'COUNT', ARGV[5])
local gone, lacking = {}, {}
for i = 1, #page[2], 2 do
  local member = page[2][i]
  if ARGV[3] ~= '' then
    if not redis.call('ZSCORE', KEYS[1], member) then
      gone[#gone + 1] = member
    end
  else
    local id, rest = string.match(member, '^(%w+):(%w+)')
    local app = redis.call('HGET', id == 'delivery' and ARGV[2] .. rest or ARGV[1] .. id, 'app')
    if app and not redis.call('ZSCORE', held_by(KEYS[1], app), member) then
      lacking[#lacking + 1] = {app, member}
    end
  end
end

-- Tried before the first write (docs/decisions/014).
may_hold(held)
for _, each in ipairs(lacking) do
  may_hold(held_by(KEYS[1], each[1]))
end

if #gone > 0 then
  redis.call('ZREM', held, unpack(gone))
end
for _, each in ipairs(lacking) do
  hold(held_by(KEYS[1], each[1]), {each[2]})
end
return {page[1], #gone + #lacking}
