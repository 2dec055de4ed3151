-- A worker that is told to stop gives the job to another: no loss is counted.
-- ARGV: job id, attempt, message, retention in ms.
local status = held_by(ARGV[2])
if not status then
  return 'stale'
end
if status == 'canceling' then
  close_unrun(ARGV[1], leave_worker, 'canceled', '{}', tonumber(ARGV[4]))
  return 'canceled'
end
wait_again(ARGV[1], ARGV[3])
return 'pending'
