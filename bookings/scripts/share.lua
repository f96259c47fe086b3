-- Put before every script that knows what an app holds. Not a script of its own.

-- What an app holds of its share of the limits: as the sorted set `open` has all open parts and `dead` all dead letters,
-- `open:<app>` and `dead:<app>` have those of one app. `heal_shares` repairs what a crash or an older version left inconsistent.
local function held_by(all, app)
  return all .. ':' .. (app or '')
end

-- Tries what `hold` does, and what takes from it.
local function may_hold(held)
  redis.call('ZADD', held, 'XX', '0', '')
  redis.call('ZREM', held, '')
end

-- Adds to what an app holds.
local function hold(held, members)
  local scored = {}
  for i, member in ipairs(members) do
    scored[2 * i - 1], scored[2 * i] = '0', member
  end
  redis.call('ZADD', held, unpack(scored))
end
