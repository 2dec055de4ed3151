-- ARGV: job id, attempt, nonce, status, retention in ms, the answer to a message, number of record fields n, the fields
-- and values (n), then seq, type, data of the last events, of which the very last is terminal. One that answers has
-- KEYS[15] and [16].
-- Returns 'ok', also when it was done by this call before its reply was lost, or 'stale'.
local status, attempt, nonce, last = unpack(redis.call('HMGET', JOB, 'status', 'attempt', 'nonce', 'last_event_id'))
if attempt ~= ARGV[2] then
  return 'stale'
end
if not runs(status) then
  return nonce == ARGV[3] and status == ARGV[4] and 'ok' or 'stale'
end
local fields = tonumber(ARGV[7])
local events = events_of_attempt(attempt, 8 + fields, last)
if not events then
  return 'stale'
end
if CONVERSATION then
  answer(ARGV[6])
end
close(ARGV[1], leave_worker, ARGV[4], tonumber(ARGV[5]), events, unpack(ARGV, 8, 7 + fields))
return 'ok'
