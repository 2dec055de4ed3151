-- The jobs whose message may be lost. KEYS: pending, queue. ARGV: ms that a job must have waited, most answers.
-- No more than the messages that are missing, so that a long line is not sent again and again.
local missing = redis.call('ZCARD', KEYS[1]) - redis.call('LLEN', KEYS[2])
if missing <= 0 then
  return {}
end
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now() - ARGV[1], 'LIMIT', 0, math.min(missing, tonumber(ARGV[2])))
