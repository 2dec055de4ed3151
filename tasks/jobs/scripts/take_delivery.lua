-- KEYS: outbox. ARGV: ms until another may take it. Returns the job whose delivery is due, or false.
local moment = now()
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', moment, 'LIMIT', 0, 1)[1]
if not due then
  return false
end
redis.call('ZADD', KEYS[1], moment + ARGV[1], due)
return due
