-- Put before every script. One job, the same KEYS everywhere: see Keys.transition. What appends events, the one script
-- that is called for every token, has these three and no more.
local JOB, EVENTS, CHANNEL = unpack(KEYS)

local function runs(status)
  return status == 'running' or status == 'canceling'
end

-- events: a list of {id, type, data}, at least one, data being JSON already. They are one message on the channel.
-- Returns the id of the last one: the caller writes it as `last_event_id`, with what else it writes into the record.
local function emit(events)
  for _, event in ipairs(events) do
    redis.call('XADD', EVENTS, event[1], 'type', event[2], 'data', event[3])
    if event[2] == 'progress' then
      redis.call('HSET', JOB, 'progress', event[3])
    end
  end
  redis.call('PUBLISH', CHANNEL, cjson.encode(events))
  return events[#events][1]
end

-- Triples seq, type, data in ARGV from `first`; those up to the event `last`, which are in the log already (a repeated
-- call after a lost reply), are left out. Nothing when one is missing before them: a server that was killed may have
-- forgotten what it had said yes to, and then this attempt cannot be told whole any more.
local function events_of_attempt(attempt, first, last)
  local last_attempt, last_seq = string.match(last, '^(%d+)%-(%d+)$')
  local next_seq = last_attempt == attempt and tonumber(last_seq) + 1 or 0
  local events = {}
  for index = first, #ARGV, 3 do
    local seq = tonumber(ARGV[index])
    if seq > next_seq then
      return nil
    end
    if seq == next_seq then
      events[#events + 1] = {attempt .. '-' .. ARGV[index], ARGV[index + 1], ARGV[index + 2]}
      next_seq = next_seq + 1
    end
  end
  return events
end

