-- Copies a booking under other names, with what there is of it in sorted sets.
--
-- KEYS  1 index of bookings   2 dead letters
-- ARGV  1 prefix of booking keys   2 the booking's hash, as DUMP gives it   3 when it expires (ms), or 0
--       4 part and id of its dead write ("<pid>:<wid>"), or ''   5 when the first was accepted (ms)
--       6 and on, for each copy: booking id, event_id

for i = 6, #ARGV, 2 do
  local bid, at = ARGV[i], string.format('%.0f', ARGV[5] + i)
  redis.call('RESTORE', ARGV[1] .. bid, ARGV[3], ARGV[2], 'ABSTTL')
  redis.call('HSET', ARGV[1] .. bid, 'event_id', ARGV[i + 1], 'accepted_at', at)
  redis.call('ZADD', KEYS[1], at, bid)
  if ARGV[4] ~= '' then
    redis.call('ZADD', KEYS[2], at, bid .. ':' .. ARGV[4])
  end
end
