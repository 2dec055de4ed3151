-- ARGV: attempt, then seq, type, data of each event. Returns the job's status, or 'stale' when this attempt
-- holds the job no longer, or cannot be told whole: then nothing is written.
local job = redis.call('HMGET', JOB, 'status', 'attempt', 'last_event_id')
if not runs(job[1]) or job[2] ~= ARGV[1] then
  return 'stale'
end
local events = events_of_attempt(ARGV[1], 2, job[3])
if not events then
  return 'stale'
end
if #events > 0 then
  redis.call('HSET', JOB, 'last_event_id', emit(events))
end
return job[1]
