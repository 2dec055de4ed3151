-- Where jobs stand. One that waits is in the line of its queue, among those of its owner that wait and, if it may be
-- run together with others, in the line of its kind. One that runs has a lease, and is among those of its owner that
-- run.
local function line_of(batch)
  return BATCHES .. cjson.decode(batch).name
end

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

