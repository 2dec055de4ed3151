-- Put behind common.lua where a job may belong to a conversation: a hash with owner, created_at, updated_at, retention
-- in ms, turns (how many there are), size in bytes, and for turn n `q:<n>` (its message) and `a:<n>` (its answer).
local CONVERSATION, CONVERSATIONS = KEYS[15], KEYS[16]
local OVERHEAD = 200 -- bytes that a message costs beside its text, so that many short ones are bounded too

local function keep_conversation(moment, retention)
  redis.call('HSET', CONVERSATION, 'updated_at', moment)
  redis.call('PEXPIRE', CONVERSATION, retention)
  -- The index counts conversations that are kept; the keeper takes away those that expired.
  redis.call('ZADD', CONVERSATIONS, moment + retention, CONVERSATION)
end

local function add_message(field, message)
  if redis.call('HSETNX', CONVERSATION, field, cjson.encode(message)) == 1 then
    redis.call('HINCRBY', CONVERSATION, 'size', #message.content + OVERHEAD)
  end
end

-- asked: message, new (whether the conversation begins with it), most (bytes), retention in ms.
local function refusal_of(asked, owner)
  local kept = redis.call('HMGET', CONVERSATION, 'owner', 'size')
  if not asked.new and kept[1] ~= owner then
    return 'no_conversation'
  end
  if (tonumber(kept[2]) or 0) + #asked.message + OVERHEAD > asked.most then
    return 'conversation_full'
  end
end

-- The next turn begins. Redis runs one script at a time, so that this is what orders messages of the same moment.
local function ask(job_id, owner, asked)
  local moment = now()
  local turn = redis.call('HINCRBY', CONVERSATION, 'turns', 1)
  redis.call('HSETNX', CONVERSATION, 'created_at', moment)
  redis.call('HSET', CONVERSATION, 'owner', owner, 'retention', asked.retention)
  add_message('q:' .. turn, {content = asked.message, at = text(moment), job = job_id})
  redis.call('HSET', JOB, 'turn', turn)
  keep_conversation(moment, asked.retention)
end

-- The answer of the attempt that completes its job. A conversation that was deleted meanwhile stays deleted.
local function answer(message)
  local retention = redis.call('HGET', CONVERSATION, 'retention')
  if retention then
    local moment = now()
    add_message('a:' .. redis.call('HGET', JOB, 'turn'), {content = message, at = text(moment)})
    keep_conversation(moment, tonumber(retention))
  end
end
