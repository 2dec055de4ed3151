-- One call renews all leases of a process. KEYS: leases, then the record of each job.
-- ARGV: lease in ms, then id and attempt of each job. Returns a status for each, 'stale' where the attempt
-- holds the job no longer. A lease that ran out is renewed too, as long as nobody took the job.
local expiry = now() + ARGV[1]
local answers = {}
for index = 2, #KEYS do
  local id, attempt = ARGV[2 * index - 2], ARGV[2 * index - 1]
  local job = redis.call('HMGET', KEYS[index], 'status', 'attempt')
  local held = runs(job[1]) and job[2] == attempt
  if held then
    redis.call('ZADD', KEYS[1], expiry, id)
  end
  answers[index - 1] = held and job[1] or 'stale'
end
return answers
