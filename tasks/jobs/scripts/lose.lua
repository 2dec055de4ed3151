-- The worker is gone. ARGV: job id, attempt, 'expired' or 'gone', message, most losses, retention in ms, the same of
-- a job that is given up.
-- With 'expired' a live lease refuses; 'gone' is said by the parent of a dead child, who knows.
local status = held_by(ARGV[2])
if not status then
  return 'stale'
end
if ARGV[3] == 'expired' then
  local lease = redis.call('ZSCORE', LEASES, ARGV[1])
  if lease and tonumber(lease) > now() then
    return 'alive'
  end
end
local retention = tonumber(ARGV[6])
if status == 'canceling' then
  close_unrun(ARGV[1], leave_worker, 'canceled', '{}', retention)
  return 'canceled'
end
-- A process that ended itself said why, and that was no loss.
local verdict = redis.call('HGET', JOB, 'verdict')
if not verdict then
  local losses = redis.call('HINCRBY', JOB, 'losses', 1)
  if losses >= tonumber(ARGV[5]) then
    local detail = 'The job was given up after it lost its worker ' .. losses .. ' times.'
    verdict = cjson.encode({code = 'worker_lost', detail = detail})
    retention = tonumber(ARGV[7])
    redis.call('ZADD', DEAD, now(), ARGV[1])
  end
end
if verdict then
  close_unrun(ARGV[1], leave_worker, 'failed', verdict, retention, 'error', verdict)
  return 'failed'
end
wait_again(ARGV[1], ARGV[4])
return 'pending'
