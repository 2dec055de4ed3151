-- Limits, idempotency, record, place in the line and Celery message: all of them or none.
-- ARGV: job id, message, owner, idempotency key ('' without), fingerprint, most waiting in the queue, most waiting
-- and most running of the owner (0: no limit), the name under which it may be run together with others ('' without),
-- then the fields of the record.
-- Returns {'created', created_at, how many wait before it, what has ended of late} |
-- {'repeated'}: this very call again, after a lost reply | {'replayed', job id} |
-- {'reused'}: the key stands for another request | {'full', 'queue' or 'waiting' or 'running', how many are there}.
-- A job that answers a message has KEYS[15] and [16], and its last field is `turn`: what is asked, see
-- conversation.lua. For it also {'no_conversation'} | {'conversation_full'}.
if redis.call('EXISTS', JOB) == 1 then
  return {'repeated'}
end

local owner, idempotency, fingerprint = ARGV[3], ARGV[4], ARGV[5]
if idempotency ~= '' then
  local known = redis.call('HMGET', idempotency, 'job', 'fingerprint')
  if known[1] then
    return known[2] == fingerprint and {'replayed', known[1]} or {'reused'}
  end
end

local before_it = redis.call('ZCARD', PENDING)
local counts = {
  {'queue', before_it},
  {'waiting', redis.call('SCARD', index_of(owner, 'waiting'))},
  {'running', redis.call('SCARD', index_of(owner, 'running'))},
}
for index, count in ipairs(counts) do
  local most = tonumber(ARGV[5 + index])
  if most > 0 and count[2] >= most then
    return {'full', count[1], count[2]}
  end
end

local asked = CONVERSATION and cjson.decode(ARGV[#ARGV])
local refusal = asked and refusal_of(asked, owner)
if refusal then
  return {refusal}
end

local created = now()
redis.call('HSET', JOB, 'status', 'pending', 'created_at', created, 'owner', owner, unpack(ARGV, 10))
if idempotency ~= '' then
  redis.call('HSET', idempotency, 'job', ARGV[1], 'fingerprint', fingerprint)
end
if asked then
  ask(ARGV[1], owner, asked)
end
redis.call('ZADD', index_of(owner, 'jobs'), created, ARGV[1])
redis.call('ZADD', PENDING, created, ARGV[1])
redis.call('SADD', index_of(owner, 'waiting'), ARGV[1])
if ARGV[9] ~= '' then
  redis.call('ZADD', BATCHES .. ARGV[9], created, ARGV[1])
end
redis.call('LPUSH', QUEUE, ARGV[2])
return {'created', created, before_it, redis.call('HGETALL', ENDED)}
