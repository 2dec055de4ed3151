-- Put behind common.lua where jobs are taken. ARGV: job id, nonce, lease in ms, worker, most losses, newest version of
-- a record that this worker reads.
local NAMES = {}
for index, name in ipairs({JOB, EVENTS, CHANNEL}) do
  NAMES[index] = string.sub(name, 1, -#ARGV[1] - 1)
end

-- What follows is about this job.
local function turn_to(job_id)
  JOB, EVENTS, CHANNEL = NAMES[1] .. job_id, NAMES[2] .. job_id, NAMES[3] .. job_id
end

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
  local attempt = text(job.attempt + 1)
  local first = attempt == '1'
  local data = first and {job_id = job_id, attempt = 1} or {attempt = tonumber(attempt)}
  local event = emit({{attempt .. '-0', first and 'started' or 'restarted', cjson.encode(data)}})
  redis.call(
    'HSET', JOB, 'status', 'running', 'attempt', attempt, 'nonce', ARGV[2], 'worker', ARGV[4],
    'started_at', job.started_at or text(moment), 'last_event_id', event
  )
  if not first then -- what the one before it left
    redis.call('HDEL', JOB, 'progress', 'verdict', 'company')
  end
  leave_line(job_id, job.owner, job.batch)
  redis.call('ZADD', LEASES, moment + ARGV[3], job_id)
  redis.call('SADD', index_of(job.owner, 'running'), job_id)
end

-- Take the jobs that may be run together with ours, as many as there is room for, and return the records of all,
-- each with its id. Who is with it stands in its record: for this call's repetition, and for whoever finds its worker dead.
local function with_company(job)
  local batch = cjson.decode(job.batch)
  local company = cjson.decode(redis.call('HGET', JOB, 'company') or '[]')
  local room = job.losses == '0' and batch.size - 1 - #company or 0
  local waiting = room > 0 and redis.call('ZRANGE', BATCHES .. batch.name, 0, room - 1) or {}
  for _, job_id in ipairs(waiting) do
    turn_to(job_id)
    local other = look()
    if other.status ~= 'pending' then -- a worker that knows of no batches took it
      redis.call('ZREM', BATCHES .. batch.name, job_id)
    elseif is_readable(other) then
      take(job_id, other)
      company[#company + 1] = job_id
    end
  end
  turn_to(ARGV[1])
  if #company > 0 then
    redis.call('HSET', JOB, 'company', cjson.encode(company))
  end
  local records = {record_of(ARGV[1])}
  for _, job_id in ipairs(company) do
    turn_to(job_id)
    if is_ours(look()) then
      records[#records + 1] = record_of(job_id)
    end
  end
  return records
end
