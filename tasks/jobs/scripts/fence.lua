-- The fence: only the attempt that holds the job may write for it. Returns the job's status, false when it does not.
local function held_by(attempt)
  local status, holder = unpack(redis.call('HMGET', JOB, 'status', 'attempt'))
  return runs(status) and holder == attempt and status
end

