-- KEYS: job, outbox. ARGV: job id. The log stays; `redelivery` says that tries before it count no more.
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'redelivery', now())
  redis.call('ZADD', KEYS[2], now(), ARGV[1])
end
