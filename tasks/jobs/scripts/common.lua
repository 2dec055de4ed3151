-- Put before every script but `append`: each function that is only defined costs a call, too.
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

-- The fence: only the attempt that holds the job may write for it. Returns the job's status, false when it does not.
local function held_by(attempt)
  local status, holder = unpack(redis.call('HMGET', JOB, 'status', 'attempt'))
  return runs(status) and holder == attempt and status
end

-- What an owner has waiting and running, so that limits can be checked without counting.
local function index_of(owner, name)
  return OWNERS .. owner .. ':' .. name
end

local function line_of(batch)
  return BATCHES .. cjson.decode(batch).name
end

-- A job that waits stands in the line of its queue, among those of its owner that wait and, if it may be run together
-- with others, in the line of its kind. One that runs has a lease, and stands among those of its owner that run.
local function leave_line(job_id, owner, batch)
  redis.call('ZREM', PENDING, job_id)
  redis.call('SREM', index_of(owner, 'waiting'), job_id)
  if batch then
    redis.call('ZREM', line_of(batch), job_id)
  end
end

local function leave_worker(job_id, owner)
  redis.call('ZREM', LEASES, job_id)
  redis.call('SREM', index_of(owner, 'running'), job_id)
end

local function count_ended(moment)
  local slice = math.floor(moment / 10000)
  -- A minute is asked for: older slices go, so that the hash stays small.
  if redis.call('HINCRBY', ENDED, slice, 1) == 1 and redis.call('HLEN', ENDED) > 12 then
    for _, old in ipairs(redis.call('HKEYS', ENDED)) do
      if tonumber(old) < slice - 8 then
        redis.call('HDEL', ENDED, old)
      end
    end
  end
end

-- What a webhook is to tell is noted in the step that makes it true.
local function note_webhook(job_id, webhook, status, moment)
  for _, event in ipairs(cjson.decode(webhook).events) do
    if event == status then
      redis.call('ZADD', OUTBOX, moment, job_id)
    end
  end
end

-- What an owner used, by day: the job itself is forgotten sooner. See accounts.py for the days that are kept.
local function count_usage(owner, usage, status, moment)
  local account = index_of(owner, 'usage:' .. text(math.floor(moment / 86400000)))
  if redis.call('HINCRBY', account, status, 1) == 1 then -- it may be new
    redis.call('PEXPIRE', account, text(33 * 86400000))
  end
  for name, count in pairs(usage and cjson.decode(usage) or {}) do
    if count > 0 then
      redis.call('HINCRBY', account, name, text(count))
    end
  end
end

-- Whoever waits for the end hears all of it and need not ask, but for what may be large and is of no use then.
local function reply(job_id, channel)
  local told, record = {}, redis.call('HGETALL', JOB)
  for index = 1, #record, 2 do
    if record[index] ~= 'input' and string.sub(record[index], 1, 11) ~= 'checkpoint:' then
      told[#told + 1] = record[index]
      told[#told + 1] = record[index + 1]
    end
  end
  redis.call('PUBLISH', channel, job_id .. ' ' .. cjson.encode(told))
end

-- The end, and with `leave` (one of the two above) what the job held until now. What its record is to have besides may
-- follow, field by field.
local function close(job_id, leave, status, retention, events, ...)
  local moment = now()
  local expiry = text(moment + retention)
  redis.call(
    'HSET', JOB, 'status', status, 'completed_at', text(moment), 'expires_at', expiry, 'last_event_id', emit(events), ...
  )
  local owner, batch, usage, webhook, idempotency, channel = unpack(
    redis.call('HMGET', JOB, 'owner', 'batch', 'usage', 'webhook', 'idempotency', 'reply')
  )
  leave(job_id, owner, batch)
  count_usage(owner, usage, status, moment)
  if webhook then
    note_webhook(job_id, webhook, status, moment)
  end
  redis.call('ZADD', EXPIRIES, expiry, job_id .. ' ' .. owner)
  redis.call('SET', GONE, owner, 'PX', text(retention + WEEK))
  redis.call('PEXPIRE', JOB, retention)
  redis.call('PEXPIRE', EVENTS, retention)
  if idempotency and idempotency ~= '' then
    redis.call('PEXPIRE', idempotency, retention) -- the key is kept as long as its job
  end
  count_ended(moment)
  if channel then
    reply(job_id, channel)
  end
end

-- An end that no attempt runs (canceled while it waited, given up): it is an attempt of its own, so that
-- nothing older can be written after it.
local function close_unrun(job_id, leave, status, data, retention, ...)
  local attempt = text(redis.call('HINCRBY', JOB, 'attempt', 1))
  close(job_id, leave, status, retention, {{attempt .. '-0', status, data}}, ...)
end

local function wait_again(job_id, message)
  local owner, created_at, losses, batch = unpack(redis.call('HMGET', JOB, 'owner', 'created_at', 'losses', 'batch'))
  redis.call('HSET', JOB, 'status', 'pending')
  redis.call('HDEL', JOB, 'nonce', 'worker')
  leave_worker(job_id, owner)
  -- Its old place: a job that lost its worker does not go to the end of the line.
  redis.call('ZADD', PENDING, created_at, job_id)
  redis.call('SADD', index_of(owner, 'waiting'), job_id)
  -- One that has lost its worker is run alone from then on, so that whoever is in its company is not lost with it again.
  if batch and losses == '0' then
    redis.call('ZADD', line_of(batch), created_at, job_id)
  end
  redis.call('RPUSH', QUEUE, message)
end
