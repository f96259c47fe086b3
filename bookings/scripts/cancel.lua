-- Marks every part of a booking as gone, in a revision of its own: the tombstone. Workers then remove the events.
--
-- KEYS  1 booking hash   2 open   3 queues
-- ARGV  1 job prefix   2 booking id   3 grace (ms)   4 life of a job's payload (ms)
-- Gives {'cancelled', revision, number of parts} | {'missing'}
--
-- The newest delivery stays the newest: a late repeat of its bytes is a duplicate and brings nothing back.

local booking = KEYS[1]
local revision = redis.call('HGET', booking, 'revision')
if not revision then
  return {'missing'}
end
local now = clock()
local rev = next_revision(ARGV[1], tonumber(revision), now)
local parts = 0
local names = redis.call('HKEYS', booking)

-- Tried before the first write (docs/decisions/014).
local queue = may_wake(booking, KEYS[3], ARGV[1])
may_hold(held_by(KEYS[2], redis.call('HGET', booking, 'app')))
redis.call('PERSIST', booking .. ':none')

for _, name in ipairs(names) do
  if string.sub(name, 1, 5) == 'part:' then
    withdraw(booking, KEYS[2], queue, ARGV[1], ARGV[2], string.sub(name, 6), rev, now, tonumber(ARGV[3]),
      tonumber(ARGV[4]))
    parts = parts + 1
  end
end
redis.call('HSET', booking, 'revision', rev, 'parts', '')
redis.call('PERSIST', booking)
return {'cancelled', rev, parts}
