-- The result of a job goes out: its credits are counted with the first time. KEYS: job, usage of its owner today.
-- ARGV: credits, nonce of this delivery, ms that the usage is kept, 1 for a stream: its price is said before its job has
-- ended. Returns the credits that this delivery costs:
-- the same again when the call is repeated after a lost reply, 0 for every later delivery.
local job = redis.call('HMGET', KEYS[1], 'status', 'charge')
local delivers = job[1] == 'completed' or ARGV[4] == '1' and job[1] and job[1] ~= 'failed' and job[1] ~= 'canceled'
if not delivers then
  return 0
end
if not job[2] then
  redis.call('HSET', KEYS[1], 'charge', ARGV[2])
  redis.call('HINCRBY', KEYS[2], 'credits', ARGV[1])
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
  return tonumber(ARGV[1])
end
return job[2] == ARGV[2] and tonumber(ARGV[1]) or 0
