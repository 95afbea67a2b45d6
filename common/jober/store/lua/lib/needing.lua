-- Runs that wait for runs of other jobs, and the runs that are kept for their sake.
-- KEYS built: rq:job:<id>, rq:results:<id>, jober:needing, jober:needing:<job>, jober:look,
--   jober:needed, jober:job:<job> (looked at), and those of expire_record
--#include cleaning

-- Have a scheduler look at them at once.
local function wake_needing()
  redis.call('RPUSH', 'jober:look', '1')
  redis.call('LTRIM', 'jober:look', -1, -1)
end

-- Keep a run, however old it gets, for one more that needs it.
local function hold(id)
  redis.call('HINCRBY', 'jober:needed', id, 1)
  redis.call('PERSIST', 'rq:job:' .. id)
  redis.call('PERSIST', 'rq:results:' .. id)
end

-- One fewer needs it; where none does, it is forgotten as every other.
local function let_go(id, ttl)
  if redis.call('HINCRBY', 'jober:needed', id, -1) > 0 then return end
  redis.call('HDEL', 'jober:needed', id)
  local run = redis.call('HMGET', 'rq:job:' .. id, 'ended_at', 'job')
  if run[1] then
    ttl = tonumber(redis.call('HGET', 'jober:job:' .. (run[2] or ''), 'keep_s')) or ttl
    expire_record(id, ttl)
    redis.call('EXPIRE', 'rq:results:' .. id, ttl)
  end
end

-- waits: JSON of {needs, wait_for, …}, names of jobs.
local function awaited(waits)
  local names, told = {}, waits and waits ~= '' and cjson.decode(waits) or {}
  for _, list in ipairs({ told.needs or {}, told.wait_for or {} }) do
    for _, name in ipairs(list) do names[#names + 1] = name end
  end
  return names
end

-- settled: JSON of the runs that are waited for, by job.
local function each_settled(settled, act, ...)
  for _, ids in pairs(settled and settled ~= '' and cjson.decode(settled) or {}) do
    for _, id in ipairs(ids) do act(id, ...) end
  end
end

local function begin_waiting(id, waits, now)
  redis.call('ZADD', 'jober:needing', string.format('%.0f', now), id)
  for _, name in ipairs(awaited(waits)) do redis.call('SADD', 'jober:needing:' .. name, id) end
end

-- It waits no more, and lets go of what it has waited for.
local function leave_needing(id, ttl)
  if redis.call('ZREM', 'jober:needing', id) == 0 then return end
  local run = redis.call('HMGET', 'rq:job:' .. id, 'waits', 'needed')
  for _, name in ipairs(awaited(run[1])) do redis.call('SREM', 'jober:needing:' .. name, id) end
  each_settled(run[2], let_go, ttl)
  redis.call('HDEL', 'rq:job:' .. id, 'waits_for')
end
