-- ARGV: job id, retention in ms. Returns the status after it. 'canceled' is said only of a job that no worker
-- runs; a running one is 'canceling' until its worker, or the keeper after it, says that it stopped.
local status = redis.call('HGET', JOB, 'status')
if status == 'pending' then
  close_unrun(ARGV[1], leave_line, 'canceled', '{}', tonumber(ARGV[2]))
  return 'canceled'
end
if status == 'running' then
  redis.call('HSET', JOB, 'status', 'canceling')
  return 'canceling'
end
return status
