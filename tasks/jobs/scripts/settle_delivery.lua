-- KEYS: job, outbox. ARGV: job id, log as JSON, ms until the next try (-1: there is none).
-- A job that has expired or was deleted meanwhile is not brought back to life.
if redis.call('EXISTS', KEYS[1]) == 0 or tonumber(ARGV[3]) < 0 then
  redis.call('ZREM', KEYS[2], ARGV[1])
else
  redis.call('ZADD', KEYS[2], now() + ARGV[3], ARGV[1])
end
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'deliveries', ARGV[2])
end
