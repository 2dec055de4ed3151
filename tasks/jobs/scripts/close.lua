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
  local account = index_of(owner, 'usage:' .. math.floor(moment / 86400000))
  if redis.call('HINCRBY', account, status, 1) == 1 then -- it may be new
    redis.call('PEXPIRE', account, 33 * 86400000)
  end
  for name, count in pairs(usage and cjson.decode(usage) or {}) do
    if count > 0 then
      redis.call('HINCRBY', account, name, text(count))
    end
  end
end

-- Whoever waits for the end hears all of it and need not ask, but for what may be large and is of no use then.
local function reply(job_id, channel)
  local record = redis.call('HGETALL', JOB)
  for index = 1, #record, 2 do
    if record[index] == 'input' or string.sub(record[index], 1, 11) == 'checkpoint:' then
      record[index], record[index + 1] = '', '' -- not left out: copying the others takes as long as reading them
    end
  end
  redis.call('PUBLISH', channel, job_id .. ' ' .. cjson.encode(record))
end

-- The end of a job: `leave` is leave_line where it waited and leave_worker where it ran. What else its record is to
-- have may follow, field by field.
local function close(job_id, leave, status, retention, events, ...)
  local moment = now()
  local expiry = moment + retention
  redis.call(
    'HSET', JOB, 'status', status, 'completed_at', moment, 'expires_at', expiry, 'last_event_id', emit(events), ...
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
  redis.call('SET', GONE, owner, 'PX', retention + WEEK)
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
  local attempt = redis.call('HINCRBY', JOB, 'attempt', 1)
  close(job_id, leave, status, retention, {{attempt .. '-0', status, data}}, ...)
end

