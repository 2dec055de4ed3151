-- ARGV: job id, attempt, nonce, status, retention in ms, number of record fields n, the fields and values (n),
-- then seq, type, data of the last events, of which the very last is terminal.
-- Returns 'ok', also when it was done by this call before its reply was lost, or 'stale'.
if not holds(ARGV[2]) then
  local ended = redis.call('HMGET', JOB, 'nonce', 'attempt', 'status')
  local again = ended[1] == ARGV[3] and ended[2] == ARGV[2] and ended[3] == ARGV[4]
  return again and 'ok' or 'stale'
end
local fields = tonumber(ARGV[6])
local events = events_of_attempt(ARGV[2], 7 + fields, redis.call('HGET', JOB, 'last_event_id'))
if not events then
  return 'stale'
end
if fields > 0 then
  redis.call('HSET', JOB, unpack(ARGV, 7, 6 + fields))
end
if CONVERSATION then
  answer()
end
emit(events)
close(ARGV[1], ARGV[4], tonumber(ARGV[5]))
return 'ok'
