-- Note that an artifact is gone. ARGV: its name. An expired record is not brought back to life.
if redis.call('EXISTS', JOB) == 1 then
  redis.call('HSET', JOB, 'removed:' .. ARGV[1], now())
end
