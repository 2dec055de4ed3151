-- ARGV: as take.lua has it, and '1' to take those along that may be run together with the job. Returns ids and records
-- as flat lists, or false when there is nothing to do: the job is unknown, has ended, somebody holds it, or it has to
-- let another one go first.
--
-- Whoever shares a worker with a job that kills it loses that worker as well. So that a poison job does not take its
-- neighbours with it when it is given up, the jobs that one loss more would end run one at a time in each queue. One
-- that has to wait keeps its place, and the keeper sends its message again.
local function must_wait()
  local other = redis.call('GET', LAST_CHANCE)
  local lease = other and other ~= ARGV[1] and redis.call('ZSCORE', LEASES, other)
  return lease and tonumber(lease) > now()
end

local job = look()

local function taken()
  return ARGV[7] == '1' and job.batch and with_company(job) or {record_of(ARGV[1])}
end

if is_ours(job) then
  return taken() -- our own claim, repeated after a lost reply
end
if job.status ~= 'pending' then
  redis.call('ZREM', PENDING, ARGV[1])
  return false
end
if not is_readable(job) then
  return false -- the keeper sends its message again
end
local losses = tonumber(job.losses)
if losses > 0 and losses + 1 >= tonumber(ARGV[5]) then
  if must_wait() then
    return false
  end
  redis.call('SET', LAST_CHANCE, ARGV[1])
end
take(ARGV[1], job)
return taken()
