-- Put before every script but `append`. What only some need is in files of its own (`__init__.py` says in which): a
-- script defines all its functions on each call, and four that are not called cost as much as an operation.
local PENDING, QUEUE, LEASES, ENDED, OWNERS, EXPIRIES, LAST_CHANCE, DEAD, GONE, OUTBOX, BATCHES = unpack(KEYS, 4)

-- How long an owner is told "gone" and not "unknown": time to notice it after a holiday.
local WEEK = 7 * 86400 * 1000

-- Redis' own clock: the clocks of the workers may differ, and leases must not.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function text(number)
  return string.format('%.0f', number)
end

-- What an owner has waiting and running, so that limits can be checked without counting.
local function index_of(owner, name)
  return OWNERS .. owner .. ':' .. name
end

