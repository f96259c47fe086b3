-- A calendar was seen to work: what is parked for it is tried now, whenever it was woken last.
--
-- KEYS  1 open   2 queues   3 index of delayed writes
-- ARGV  1 job prefix   2 prefix of booking keys   3 grace (ms)   4 life of a job's payload (ms)   5 write id
--       6 most parts to wake; the others follow as the first of them succeed
-- Gives {number woken}

-- Tried before the first write (docs/decisions/014).
local found = parked_for(ARGV[2], KEYS[2], KEYS[3], ARGV[1], ARGV[5], '+inf', ARGV[6])

return {found and wake_parked(found, KEYS[1], ARGV[1], clock(), tonumber(ARGV[3]), tonumber(ARGV[4])) or 0}
