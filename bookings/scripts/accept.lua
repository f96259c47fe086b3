-- Accepts one delivery: dedup, record, revision and the queue entries of all parts, all or nothing.
--
-- KEYS  1 booking hash   2 open   3 queues   4 index of bookings   5 dead letters   6 link hash, on a link's URL
-- ARGV  1 job prefix   2 booking id   3 delivery id   4 redelivery window (ms)   5 most open parts
--       6 most dead letters, both of this app   7 grace (ms)   8 life of a job's payload (ms)   9 app   10 event_id
--       11 link id or ''   12 'prune' to remove parts that this delivery no longer lists, or ''
--       13 traceparent or ''   14 number of parts, then for each part: id, JSON; then, where the delivery may have
--       to be passed on: its record's id, its part's id, its part's JSON, 'always' or 'link' (where the link says so)
-- Gives {'accepted', revision} | {'duplicate', revision} | {'unknown_link'} | {'queue_full'}
--       | {'dead_letters_full'}
--
-- The field `deliveries` holds a line "<delivery> <duplicate until ms> <revision>" for each delivery whose
-- bytes still count as a repeat. On a link's URL they always do: a link completes once. Of more than MOST_KEPT, the
-- newest are there: each delivery writes the whole field, which stays as short as Redis keeps in one piece.

local MOST_KEPT = 128
local booking = KEYS[1]
local bid, delivery = ARGV[2], ARGV[3]
local now = clock()

local known = redis.call('HMGET', booking, 'revision', 'delivery', 'deliveries', 'parts')
if known[2] == delivery then
  return {'duplicate', known[1]}
end
local kept = {}
for id, till, accepted_as in string.gmatch(known[3] or '', '(%S+) (%d+) (%d+)\n') do
  if tonumber(till) > now then
    if id == delivery then
      return {'duplicate', accepted_as}
    end
    kept[#kept + 1] = id .. ' ' .. till .. ' ' .. accepted_as .. '\n'
  end
end

if KEYS[6] and redis.call('EXISTS', KEYS[6]) == 0 then
  return {'unknown_link'}
end
if redis.call('ZCARD', held_by(KEYS[2], ARGV[9])) >= tonumber(ARGV[5]) then
  return {'queue_full'}
end
if redis.call('ZCARD', held_by(KEYS[5], ARGV[9])) >= tonumber(ARGV[6]) then
  return {'dead_letters_full'}
end

local rev, at = next_revision(ARGV[1], tonumber(known[1]) or 0, now), string.format('%.0f', now)
local window = ARGV[11] == '' and tonumber(ARGV[4]) or 1e13
kept[#kept + 1] = delivery .. ' ' .. string.format('%.0f', now + window) .. ' ' .. rev .. '\n'

-- Every part's fields and its job, gathered so that the whole costs few commands, however many parts there are.
local look_at = string.format('%.0f', now + tonumber(ARGV[7]))
local pids, listed, fields, queued, open, held = {}, {}, {}, {}, {}, {}
for i = 15, 14 + 2 * tonumber(ARGV[14]), 2 do
  local pid = ARGV[i]
  local job = job_name(ARGV[1], bid, pid)
  pids[#pids + 1], listed[pid] = pid, job
  for _, each in ipairs({'part:' .. pid, ARGV[i + 1], 'rev:' .. pid, rev, 'state:' .. pid, 'open',
      'from:' .. pid, delivery .. ' ' .. ARGV[13]}) do
    fields[#fields + 1] = each
  end
  queued[#queued + 1], queued[#queued + 2] = at, job
  open[#open + 1], open[#open + 2] = look_at, bid .. ':' .. pid
  held[#held + 1] = bid .. ':' .. pid
end

local queue = KEYS[3] .. ':app:' .. ARGV[9]
local more = 15 + 2 * tonumber(ARGV[14])
local passed_on = ARGV[more] and (ARGV[more + 3] == 'always' or redis.call('HGET', KEYS[6], 'forward_to'))

-- Tried before the first write (docs/decisions/014).
may_queue(queue, ARGV[1])
if known[1] then
  redis.call('HDEL', booking, '')
  redis.call('PERSIST', booking .. ':none')
  redis.call('HGET', booking, '')
end
if KEYS[6] then
  redis.call('HDEL', KEYS[6], '')
end
may_hold(held_by(KEYS[2], ARGV[9]))

redis.call('HSET', booking, 'app', ARGV[9], 'event_id', ARGV[10], 'link', ARGV[11], 'revision', rev,
  'delivery', delivery, 'deliveries', table.concat(kept, '', math.max(1, #kept - MOST_KEPT + 1)), 'accepted_at', at,
  'parts', table.concat(pids, ' '), unpack(fields))
for pid, job in pairs(listed) do
  write_job(job, bid, pid, at, ARGV[8])
end
redis.call('ZADD', queue, unpack(queued))
redis.call('ZADD', ARGV[1] .. ':turns', 'LT', at, queue)
redis.call('ZADD', KEYS[2], unpack(open))
hold(held_by(KEYS[2], ARGV[9]), held)
redis.call('ZADD', KEYS[4], at, bid)
if KEYS[6] then
  redis.call('HSET', KEYS[6], 'completed_at', at)
end

-- What is passed on has a record of its own, like a booking with one part: no calendar waits for it.
if passed_on then
  local fid, pid = ARGV[more], ARGV[more + 1]
  local job = job_name(ARGV[1], fid, pid)
  redis.call('HSET', string.sub(booking, 1, #booking - #bid) .. fid, 'app', ARGV[9], 'event_id', ARGV[10],
    'link', ARGV[11], 'revision', rev, 'delivery', delivery, 'accepted_at', at,
    'parts', pid, 'part:' .. pid, ARGV[more + 2], 'rev:' .. pid, rev,
    'state:' .. pid, 'open', 'from:' .. pid, delivery .. ' ' .. ARGV[13])
  write_job(job, fid, pid, at, ARGV[8])
  redis.call('ZADD', queue, at, job)
  redis.call('ZADD', KEYS[2], look_at, fid .. ':' .. pid)
  hold(held_by(KEYS[2], ARGV[9]), {fid .. ':' .. pid})
end
ring(ARGV[1])
if known[1] then
  local here = {}
  for _, pid in ipairs(pids) do
    here[#here + 1] = 'gone:' .. pid
  end
  redis.call('HDEL', booking, unpack(here))
  redis.call('PERSIST', booking)
end

if ARGV[12] == 'prune' then
  for pid in string.gmatch(known[4] or '', '%S+') do
    if not listed[pid] then
      withdraw(booking, KEYS[2], queue, ARGV[1], bid, pid, rev, now, tonumber(ARGV[7]), tonumber(ARGV[8]))
    end
  end
end
return {'accepted', rev}
