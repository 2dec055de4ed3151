-- Taking a job. ARGV: job id, nonce, lease in ms, worker, most losses, newest version of a record that this worker
-- reads.

-- What decides whether the job is taken, and what is needed to do so.
local function look()
  local status, nonce, version, losses, attempt, owner, batch, started_at = unpack(
    redis.call('HMGET', JOB, 'status', 'nonce', 'version', 'losses', 'attempt', 'owner', 'batch', 'started_at')
  )
  return {
    status = status, nonce = nonce, version = version, losses = losses, attempt = attempt, owner = owner,
    batch = batch, started_at = started_at,
  }
end

local function is_ours(job)
  return runs(job.status) and job.nonce == ARGV[2]
end

local function is_readable(job)
  return tonumber(job.version) <= tonumber(ARGV[6]) -- else a worker of the next release takes it
end

local function record_of(job_id)
  return {job_id, redis.call('HGETALL', JOB)}
end

local function take(job_id, job)
  local moment = now()
  local attempt = job.attempt + 1
  local first = attempt == 1
  local data = first and {job_id = job_id, attempt = 1} or {attempt = attempt}
  local event = emit({{attempt .. '-0', first and 'started' or 'restarted', cjson.encode(data)}})
  redis.call(
    'HSET', JOB, 'status', 'running', 'attempt', attempt, 'nonce', ARGV[2], 'worker', ARGV[4],
    'started_at', job.started_at or moment, 'last_event_id', event
  )
  if not first then -- what the one before it left
    redis.call('HDEL', JOB, 'progress', 'verdict', 'company')
  end
  leave_line(job_id, job.owner, job.batch)
  redis.call('ZADD', LEASES, moment + ARGV[3], job_id)
  redis.call('SADD', index_of(job.owner, 'running'), job_id)
end

