-- KEYS: leases, dead, outbox, then pending, queue and workers of each queue. ARGV: what stands before the id in a job's
-- key, then the queues. Returns how many are dead and in the outbox, then for each queue how many wait, the ms that the
-- oldest waits, messages, how many run, workers that were heard of.
local running = {}
for _, job_id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local queue = redis.call('HGET', ARGV[1] .. job_id, 'queue')
  if queue then
    running[queue] = (running[queue] or 0) + 1
  end
end

local moment = now()
local answer = {redis.call('ZCARD', KEYS[2]), redis.call('ZCARD', KEYS[3])}
for index = 2, #ARGV do
  local first = 3 * index - 2
  local oldest = redis.call('ZRANGE', KEYS[first], 0, 0, 'WITHSCORES')[2]
  answer[#answer + 1] = {
    redis.call('ZCARD', KEYS[first]),
    oldest and math.max(moment - tonumber(oldest), 0) or 0,
    redis.call('LLEN', KEYS[first + 1]),
    running[ARGV[index]] or 0,
    redis.call('ZCOUNT', KEYS[first + 2], moment, '+inf'),
  }
end
return answer
