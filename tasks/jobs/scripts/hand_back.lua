-- A worker that is told to stop gives the job to another: no loss is counted.
-- ARGV: job id, attempt, message, retention in ms.
if not holds(ARGV[2]) then
  return 'stale'
end
if status_of_job() == 'canceling' then
  close_unrun(ARGV[1], 'canceled', '{}', tonumber(ARGV[4]))
  return 'canceled'
end
wait_again(ARGV[1], ARGV[3])
return 'pending'
