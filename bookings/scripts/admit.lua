-- Asks leave for one request to a provider: is the account waiting, is there a slot, is there a token?
--
-- KEYS  1 clock of the account   2 clock of the lane (one mailbox), or the account's again
--       3 slots of the lane   4 token bucket of the lane
-- ARGV  1 holder (unique to the request)   2 slots, or 0   3 life of a slot (ms)
--       4 tokens a second, or 0   5 tokens at most   6 how long a probe may take (ms)
-- Gives {'go'} | {'told'} (go, and say so if it went well: a clock has run out and is to be reopened)
--       | {'wait', ms} | {'closed', until (ms), state, reason}
--
-- Asked again by the same holder (its first answer was lost), it gives the same slot.
-- A clock is a hash: until, state (paused | parked), reason, since, streak. Where it has run out, a paused account
-- just goes on; of a parked one, one request goes first.

local now = clock()
local told, probe = false, false
for i = 1, 2 do
  local fields = redis.call('HMGET', KEYS[i], 'until', 'state', 'reason')
  if fields[1] and not (i == 2 and KEYS[2] == KEYS[1]) then
    if tonumber(fields[1]) > now then
      return {'closed', fields[1], fields[2], fields[3]}
    end
    told = true
    if fields[2] == 'parked' then
      probe = KEYS[i]
    end
  end
end

local slots, rate = tonumber(ARGV[2]), tonumber(ARGV[4])
local given_up, tokens = false, 0
if slots > 0 then
  local held = redis.call('ZCOUNT', KEYS[3], string.format('(%.0f', now), '+inf')
  if held >= slots and not redis.call('ZSCORE', KEYS[3], ARGV[1]) then
    return {'wait', 20}
  end
  given_up = redis.call('ZCARD', KEYS[3]) > held
end
if rate > 0 then
  local bucket = redis.call('HMGET', KEYS[4], 'tokens', 'at')
  local most = tonumber(ARGV[5])
  tokens = math.min(most, (tonumber(bucket[1]) or most) + (now - (tonumber(bucket[2]) or now)) / 1000 * rate)
  if tokens < 1 then
    return {'wait', math.ceil((1 - tokens) / rate * 1000)}
  end
end

-- Tried before the first write (docs/decisions/014).
if slots > 0 or rate > 0 then
  redis.call('PEXPIRE', KEYS[4] .. ':none', '0')
end
if slots > 0 and (rate > 0 or probe) then
  redis.call('ZADD', KEYS[3], 'XX', '0', '')
end
if given_up then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], 0, 0)
end

if rate > 0 then
  redis.call('HSET', KEYS[4], 'tokens', string.format('%.6f', tokens - 1), 'at', string.format('%.0f', now))
  redis.call('PEXPIRE', KEYS[4], math.ceil(tonumber(ARGV[5]) / rate * 1000) + 1000)
end
if probe then
  redis.call('HSET', probe, 'until', string.format('%.0f', now + tonumber(ARGV[6])))
end
if slots > 0 then
  redis.call('ZADD', KEYS[3], string.format('%.0f', now + tonumber(ARGV[3])), ARGV[1])
  redis.call('PEXPIRE', KEYS[3], tonumber(ARGV[3]))
end
if given_up then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now))
end
return {told and 'told' or 'go'}
