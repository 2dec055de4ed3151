-- Taking jobs that are run together. ARGV: as take.lua has it.

-- What follows is about this job.
local function turn_to(job_id)
  local function named(key)
    return string.sub(key, 1, -#ARGV[1] - 1) .. job_id
  end
  JOB, EVENTS, CHANNEL = named(KEYS[1]), named(KEYS[2]), named(KEYS[3])
end

-- Take the jobs that may be run together with ours, as many as there is room for, and return the records of all, each
-- with its id. Who is with it stands in its record: for this call's repetition, and for whoever finds its worker dead.
local function with_company(job)
  local batch = cjson.decode(job.batch)
  local company = cjson.decode(redis.call('HGET', JOB, 'company') or '[]')
  local room = job.losses == '0' and batch.size - 1 - #company or 0
  local waiting = room > 0 and redis.call('ZRANGE', BATCHES .. batch.name, 0, room - 1) or {}
  for _, job_id in ipairs(waiting) do
    turn_to(job_id)
    local other = look()
    if other.status ~= 'pending' then -- a worker that knows of no batches took it
      redis.call('ZREM', BATCHES .. batch.name, job_id)
    elseif is_readable(other) then
      take(job_id, other)
      company[#company + 1] = job_id
    end
  end
  turn_to(ARGV[1])
  if #company > 0 then
    redis.call('HSET', JOB, 'company', cjson.encode(company))
  end
  local records = {record_of(ARGV[1])}
  for _, job_id in ipairs(company) do
    turn_to(job_id)
    if is_ours(look()) then
      records[#records + 1] = record_of(job_id)
    end
  end
  return records
end
