-- Send the message of a waiting job again. ARGV: job id, message. A double is harmless: claim refuses it.
if redis.call('HGET', JOB, 'status') ~= 'pending' then
  redis.call('ZREM', PENDING, ARGV[1])
  return 0
end
redis.call('RPUSH', QUEUE, ARGV[2])
return 1
