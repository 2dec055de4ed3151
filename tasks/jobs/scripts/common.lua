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

local function status_of_job()
  return redis.call('HGET', JOB, 'status')
end

-- The fence: only the attempt that holds the job may write for it.
local function holds(attempt)
  local job = redis.call('HMGET', JOB, 'status', 'attempt')
  return runs(job[1]) and job[2] == attempt
end

-- What an owner has waiting and running, so that limits can be checked without counting.
local function index_of(owner, name)
  return OWNERS .. owner .. ':' .. name
end

local function place(job_id, name)
  local owner = redis.call('HGET', JOB, 'owner')
  for _, each in ipairs({'waiting', 'running'}) do
    redis.call(each == name and 'SADD' or 'SREM', index_of(owner, each), job_id)
  end
end

-- Jobs that may be run together wait in a line of their kind, too. One that has lost its worker does not: it is run
-- alone from then on, so that whoever is in its company is not lost with it again.
local function place_in_batch(job_id, waits)
  local job = redis.call('HMGET', JOB, 'batch', 'losses', 'created_at')
  if not job[1] then
    return
  end
  local line = BATCHES .. cjson.decode(job[1]).name
  if waits and job[2] == '0' then
    redis.call('ZADD', line, job[3], job_id)
  else
    redis.call('ZREM', line, job_id)
  end
end

local function count_ended(moment)
  local slice = math.floor(moment / 10000)
  redis.call('HINCRBY', ENDED, slice, 1)
  -- A minute is asked for: older slices go, so that the hash stays small.
  if redis.call('HLEN', ENDED) > 12 then
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
  redis.call('HINCRBY', account, status, 1)
  for name, count in pairs(usage and cjson.decode(usage) or {}) do
    if count > 0 then
      redis.call('HINCRBY', account, name, text(count))
    end
  end
  redis.call('PEXPIRE', account, text(33 * 86400000))
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

local function close(job_id, status, retention)
  local moment = now()
  redis.call('HSET', JOB, 'status', status, 'completed_at', text(moment), 'expires_at', text(moment + retention))
  local job = redis.call('HMGET', JOB, 'owner', 'usage', 'webhook', 'idempotency', 'reply')
  count_usage(job[1], job[2], status, moment)
  if job[3] then
    note_webhook(job_id, job[3], status, moment)
  end
  redis.call('ZREM', LEASES, job_id)
  redis.call('ZREM', PENDING, job_id)
  place(job_id, 'ended')
  place_in_batch(job_id, false)
  redis.call('ZADD', EXPIRIES, moment + retention, job_id .. ' ' .. job[1])
  redis.call('SET', GONE, job[1], 'PX', text(retention + WEEK))
  redis.call('PEXPIRE', JOB, retention)
  redis.call('PEXPIRE', EVENTS, retention)
  if job[4] and job[4] ~= '' then
    redis.call('PEXPIRE', job[4], retention) -- the key is kept as long as its job
  end
  count_ended(moment)
  if job[5] then
    reply(job_id, job[5])
  end
end

-- An end that no attempt runs (canceled while it waited, given up): it is an attempt of its own, so that
-- nothing older can be written after it.
local function close_unrun(job_id, status, data, retention)
  local attempt = text(redis.call('HINCRBY', JOB, 'attempt', 1))
  emit({{attempt .. '-0', status, data}})
  close(job_id, status, retention)
end

local function wait_again(job_id, message)
  redis.call('HSET', JOB, 'status', 'pending')
  redis.call('HDEL', JOB, 'nonce', 'worker')
  redis.call('ZREM', LEASES, job_id)
  -- Its old place: a job that lost its worker does not go to the end of the line.
  redis.call('ZADD', PENDING, redis.call('HGET', JOB, 'created_at'), job_id)
  place(job_id, 'waiting')
  place_in_batch(job_id, true)
  redis.call('RPUSH', QUEUE, message)
end
