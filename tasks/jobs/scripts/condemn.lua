-- A process that is about to end itself says why first ({code, detail}, or nothing). It keeps the lease for ARGV[4] ms, time
-- enough to die, and after that whoever finds the job ends it with this reason.
-- ARGV: job id, attempt, verdict as JSON, ms.
if not held_by(ARGV[2]) then
  return 'stale'
end
if ARGV[3] ~= '' then
  redis.call('HSET', JOB, 'verdict', ARGV[3])
end
redis.call('ZADD', LEASES, now() + ARGV[4], ARGV[1])
return 'ok'
