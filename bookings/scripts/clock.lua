-- Put before every script that uses it. Not a script of its own.

-- Redis' time in Unix milliseconds.
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
