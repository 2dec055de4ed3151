local function wait_again(job_id, message)
  local owner, created_at, losses, batch = unpack(redis.call('HMGET', JOB, 'owner', 'created_at', 'losses', 'batch'))
  redis.call('HSET', JOB, 'status', 'pending')
  redis.call('HDEL', JOB, 'nonce', 'worker')
  leave_worker(job_id, owner)
  -- Its old place: a job that lost its worker does not go to the end of the line.
  redis.call('ZADD', PENDING, created_at, job_id)
  redis.call('SADD', index_of(owner, 'waiting'), job_id)
  -- One that has lost its worker is run alone from then on, so that whoever is in its company is not lost with it.
  if batch and losses == '0' then
    redis.call('ZADD', line_of(batch), created_at, job_id)
  end
  redis.call('RPUSH', QUEUE, message)
end
