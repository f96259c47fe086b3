-- Tries everything that some scripts do, and changes nothing (docs/decisions/014).
--
-- KEYS  keys of every kind that they use
-- ARGV  1 a key that never exists   2 commands, with blanks between them; first those that Redis refuses while it is out of
--       memory, for it asks itself only once   3 and on: more keys
-- Gives {what was refused (a command or a key), why, ...}

local none = ARGV[1]
local forms = {
  DEL = {}, EXISTS = {}, GET = {}, HDEL = {''}, HGET = {''}, HGETALL = {}, HKEYS = {}, HMGET = {''}, HSCAN = {'0'},
  LLEN = {}, PERSIST = {}, PEXPIRE = {'0'}, PEXPIREAT = {'0'}, PTTL = {}, SET = {'', 'XX'}, SMEMBERS = {}, SREM = {''},
  ZADD = {'XX', '0', ''}, ZCARD = {}, ZCOUNT = {'0', '0'}, ZRANGE = {'0', '0'}, ZRANGEBYSCORE = {'0', '0'},
  ZREM = {''}, ZREMRANGEBYSCORE = {'0', '0'}, ZREVRANGEBYSCORE = {'0', '0'}, ZSCAN = {'0'}, ZSCORE = {''},
}
-- What has no such form is done, and taken back at once.
local done = {HSET = {'', ''}, LPUSH = {''}, SADD = {''}}
local taken_back = {HSET = 'HDEL', LPUSH = 'DEL', SADD = 'SREM'}

-- Nothing of it goes into Redis' file or to its replicas, not even the brackets around nothing at all.
pcall(redis.set_repl, redis.REPL_NONE)

local refused = {}
local function try(name, ...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then
    refused[#refused + 1], refused[#refused + 2] = name, answer.err
    return false
  end
  return true
end

for name in string.gmatch(ARGV[2], '%S+') do
  if name == 'TIME' then
    try(name, name)
  elseif forms[name] then
    try(name, name, none, unpack(forms[name]))
  end
end
for name in string.gmatch(ARGV[2], '%S+') do
  local back = taken_back[name]
  local answer = back and redis.pcall(back, none, unpack(forms[back]))
  if type(answer) == 'number' and try(name, name, none, unpack(done[name])) then
    redis.call(back, none, unpack(forms[back]))
  end
end

local keys = {unpack(KEYS)}
for i = 3, #ARGV do
  keys[#keys + 1] = ARGV[i]
end
for _, key in ipairs(keys) do
  local _ = try(key, 'EXISTS', key) and try(key, 'PERSIST', key)
end
return refused
