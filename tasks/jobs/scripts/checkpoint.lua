-- Keep what a later attempt need not do again. ARGV: attempt, name, value as JSON. Returns 'ok', or 'stale' when this
-- attempt holds the job no longer: then nothing is written.
if not held_by(ARGV[1]) then
  return 'stale'
end
redis.call('HSET', JOB, 'checkpoint:' .. ARGV[2], ARGV[3])
return 'ok'
