-- Asks whoever works on a part next for something: to replay, discard or retry a write, to look at all of it again.
-- The record itself is changed only under the part's lease, by the worker that does it.
--
-- KEYS  1 booking hash   2 open   3 queues   4 dead letters
-- ARGV  1 job prefix   2 booking id   3 part id   4 what is asked (one word or two)
--       5 the dead letter it is about, or ''   6 the revision it is about, or ''
--       7 grace (ms)   8 life of a job's payload (ms)
-- Gives {'asked'} | {'missing'} | {'not_dead'} (no such dead letter, or asked already) | {'overtaken', revision}

local booking, bid, pid = KEYS[1], ARGV[2], ARGV[3]
local revision = redis.call('HGET', booking, 'rev:' .. pid)
local app = redis.call('HGET', booking, 'app')
if not revision then
  return {'missing'}
end
if ARGV[5] ~= '' then
  if not redis.call('ZSCORE', KEYS[4], ARGV[5]) then
    return {'not_dead'}
  end
  if ARGV[6] ~= '' and ARGV[6] ~= revision then
    return {'overtaken', revision}
  end
end
local now = clock()

-- Tried before the first write (docs/decisions/014).
local queue = may_ask(booking, KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], '')
may_hold(held_by(KEYS[2], app))
may_hold(held_by(KEYS[4], app))

ask_for(booking, KEYS[2], queue, ARGV[1], bid, pid, ARGV[4], now, tonumber(ARGV[7]), tonumber(ARGV[8]))
hold(held_by(KEYS[2], app), {bid .. ':' .. pid})
redis.call('ZREM', KEYS[4], ARGV[5])
redis.call('ZREM', held_by(KEYS[4], app), ARGV[5])
return {'asked'}
