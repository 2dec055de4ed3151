-- ARGV: job id, nonce, lease in ms, worker, most losses, newest version
-- of a record that this worker reads. Returns the record as a flat list, or false when there is nothing
-- to do: the job is unknown, has ended, somebody holds it, or it has to let another one go first.
--
-- Whoever shares a worker with a job that kills it loses that worker as well. So that a poison job does not take its
-- neighbours with it when it is given up, the jobs that one loss more would end run one at a time in each queue. One
-- that has to wait keeps its place, and the keeper sends its message again.
local function must_wait()
  local other = redis.call('GET', LAST_CHANCE)
  local lease = other and other ~= ARGV[1] and redis.call('ZSCORE', LEASES, other)
  return lease and tonumber(lease) > now()
end

local job = redis.call('HMGET', JOB, 'status', 'nonce', 'attempt', 'losses', 'version')
if runs(job[1]) and job[2] == ARGV[2] then
  return redis.call('HGETALL', JOB) -- our own claim, repeated after a lost reply
end
if job[1] ~= 'pending' then
  redis.call('ZREM', PENDING, ARGV[1])
  return false
end
if tonumber(job[5]) > tonumber(ARGV[6]) then
  return false -- a worker of the next release takes it: the keeper sends its message again
end
local losses = tonumber(job[4])
if losses > 0 and losses + 1 >= tonumber(ARGV[5]) then
  if must_wait() then
    return false
  end
  redis.call('SET', LAST_CHANCE, ARGV[1])
end
local moment = now()
local attempt = text(tonumber(job[3]) + 1)
redis.call('HSET', JOB, 'status', 'running', 'attempt', attempt, 'nonce', ARGV[2], 'worker', ARGV[4])
redis.call('HSETNX', JOB, 'started_at', text(moment))
redis.call('HDEL', JOB, 'progress', 'verdict')
redis.call('ZREM', PENDING, ARGV[1])
redis.call('ZADD', LEASES, moment + ARGV[3], ARGV[1])
place(ARGV[1], 'running')
local first = attempt == '1'
local data = first and {job_id = ARGV[1], attempt = 1} or {attempt = tonumber(attempt)}
emit({{attempt .. '-0', first and 'started' or 'restarted', cjson.encode(data)}})
return redis.call('HGETALL', JOB)
