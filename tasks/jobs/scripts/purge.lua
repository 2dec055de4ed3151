-- Forget a job that was given up. ARGV: job id. Its files and its place in its owner's list go with the keeper's next
-- pass. Returns 1, or 0 when it is not among those given up.
if redis.call('ZREM', DEAD, ARGV[1]) == 0 then
  return 0
end
local kept = redis.call('HMGET', JOB, 'owner', 'idempotency')
if kept[1] then
  redis.call('ZADD', EXPIRIES, now(), ARGV[1] .. ' ' .. kept[1])
  if kept[2] and kept[2] ~= '' then
    redis.call('DEL', kept[2])
  end
end
redis.call('DEL', JOB, EVENTS)
return 1
