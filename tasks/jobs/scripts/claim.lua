-- ARGV: job id, nonce, lease in ms, worker. Returns the record as a flat list, or false when there is nothing
-- to do: the job is unknown, has ended, or somebody holds it.
local job = redis.call('HMGET', JOB, 'status', 'nonce', 'attempt')
if runs(job[1]) and job[2] == ARGV[2] then
  return redis.call('HGETALL', JOB) -- our own claim, repeated after a lost reply
end
if job[1] ~= 'pending' then
  redis.call('ZREM', PENDING, ARGV[1])
  return false
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
