-- The result of a job goes out: its credits are counted with the first time. KEYS: job, usage of its owner today.
-- ARGV: credits, nonce of this delivery, ms that the usage is kept. Returns the credits that this delivery costs:
-- the same again when the call is repeated after a lost reply, 0 for every later delivery.
local job = redis.call('HMGET', KEYS[1], 'status', 'charge')
if job[1] ~= 'completed' then
  return 0
end
if not job[2] then
  redis.call('HSET', KEYS[1], 'charge', ARGV[2])
  redis.call('HINCRBY', KEYS[2], 'credits', ARGV[1])
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
  return tonumber(ARGV[1])
end
return job[2] == ARGV[2] and tonumber(ARGV[1]) or 0
