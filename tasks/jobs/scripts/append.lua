-- ARGV: attempt, then seq, type, data of each event. Returns the job's status, or 'stale' when this attempt
-- holds the job no longer: then nothing is written.
if not holds(ARGV[1]) then
  return 'stale'
end
emit(events_of_attempt(ARGV[1], 2))
return status_of_job()
