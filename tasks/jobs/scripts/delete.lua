-- Forget a job that has ended. ARGV: job id. Returns 'deleted', also when it was done before, or the status of a job
-- that has not ended: then nothing is changed. Its files are due at once: the keeper takes those that the caller leaves.
local job = redis.call('HMGET', JOB, 'status', 'owner')
if not job[1] then
  return 'deleted'
end
if job[1] == 'pending' or runs(job[1]) then
  return job[1]
end
redis.call('SET', GONE, job[2], 'PX', WEEK)
redis.call('ZREM', index_of(job[2], 'jobs'), ARGV[1])
redis.call('ZADD', EXPIRIES, now(), ARGV[1] .. ' ' .. job[2])
redis.call('DEL', JOB, EVENTS)
return 'deleted'
