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

local function is_ours()
  local job = redis.call('HMGET', JOB, 'status', 'nonce')
  return runs(job[1]) and job[2] == ARGV[2]
end

local function is_readable(version)
  return tonumber(version) <= tonumber(ARGV[6]) -- else a worker of the next release takes it
end

local function record_of(job_id)
  return {job_id, redis.call('HGETALL', JOB)}
end

local function take(job_id)
  local moment = now()
  local attempt = text(redis.call('HGET', JOB, 'attempt') + 1)
  place_in_batch(job_id, false)
  redis.call('HSET', JOB, 'status', 'running', 'attempt', attempt, 'nonce', ARGV[2], 'worker', ARGV[4])
  redis.call('HSETNX', JOB, 'started_at', text(moment))
  redis.call('HDEL', JOB, 'progress', 'verdict', 'company')
  redis.call('ZREM', PENDING, job_id)
  redis.call('ZADD', LEASES, moment + ARGV[3], job_id)
  place(job_id, 'running')
  local first = attempt == '1'
  local data = first and {job_id = job_id, attempt = 1} or {attempt = tonumber(attempt)}
  emit({{attempt .. '-0', first and 'started' or 'restarted', cjson.encode(data)}})
end

-- Take the jobs that may be run together with ours, as many as there is room for, and return the records of all,
-- each with its id. Who is with it stands in its record: for this call's repetition, and for whoever finds its worker dead.
local function with_company()
  local job = redis.call('HMGET', JOB, 'batch', 'losses', 'company')
  local batch = job[1] and cjson.decode(job[1])
  local company = job[3] and cjson.decode(job[3]) or {}
  local room = batch and job[2] == '0' and batch.size - 1 - #company or 0
  local waiting = room > 0 and redis.call('ZRANGE', BATCHES .. batch.name, 0, room - 1) or {}
  for _, job_id in ipairs(waiting) do
    turn_to(job_id)
    local other = redis.call('HMGET', JOB, 'status', 'version')
    if other[1] ~= 'pending' then -- a worker that knows of no batches took it
      redis.call('ZREM', BATCHES .. batch.name, job_id)
    elseif is_readable(other[2]) then
      take(job_id)
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
    if is_ours() then
      records[#records + 1] = record_of(job_id)
    end
  end
  return records
end
