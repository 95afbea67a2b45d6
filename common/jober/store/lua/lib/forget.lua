-- Forget an ended run, whole. Where its job cleans up after its runs, a run of its own does that then: on
-- the host that the run was on, where that is there. To be followed by flush_runs.
-- KEYS built: rq:job:<id>, rq:results:<id>, jober:out:<id>:log, jober:attempts:<id>, rq:finished:<queue>,
--   rq:failed:<queue>, rq:canceled:<queue>, jober:runs, jober:runs:<job>, jober:cleaning, and those of write_run
--#include time
--#include event
--#include queue
--#include run
-- What the cleanup is told of the run, text as it stands in the record.
local CLEANUP_FACTS = { 'job', 'state', 'host', 'exit_code', 'reason', 'fire_at', 'started_at', 'ended_at', 'data',
  'return_value', 'options' }

-- How to clean up; nil where others have written what is none.
local function read_cleanup(text)
  local good, how = pcall(cjson.decode, text)
  if not good or type(how) ~= 'table' then return nil end
  for _, name in ipairs({ 'call', 'queue', 'options', 'timeout', 'spec' }) do
    if type(how[name]) ~= 'string' then return nil end
  end
  return type(how.expires) == 'number' and how or nil
end

-- A run that never began has left nothing behind.
local function clean_up(id, text)
  local record, how = 'rq:job:' .. id, read_cleanup(text)
  if not how or redis.call('HEXISTS', record, 'attempt') == 0 then return end
  local facts, told = { run = id }, redis.call('HMGET', record, unpack(CLEANUP_FACTS))
  for i, name in ipairs(CLEANUP_FACTS) do facts[name] = told[i] or nil end
  local host = facts.host ~= '' and facts.host
  -- Who cleans up after a run that was signed is shown that there was such a one.
  local signed = redis.call('HMGET', record, 'order', 'term')
  if signed[1] and type(how.seal) == 'string' then
    facts.term = signed[2] or nil
  end
  local at, made = now_ms(), nil
  repeat
    made = string.format('cleanup-%.0f-', at) .. string.sub(id, 1, 150)
    at = at + 1
  until list_run(made, '_', now_ms())
  write_run(made, '_', {}, { trigger = 'cleanup', after = id, host = host, may_move = host and true,
    queue = how.queue, options = how.options, timeout = how.timeout, expires = how.expires,
    description = how.call .. '(' .. id .. ')', order = facts.term and signed[1] or nil, seal = how.seal,
    data = '["jober_worker.functions.clean_up",null,' .. cjson.encode({ how.call, facts }) .. ',{}]' })
  redis.call('HSET', 'rq:job:' .. made, 'spec', how.spec)
  announce(how.queue) -- where it goes when its host takes none
end

local function forget(id, queue, job)
  local text = redis.call('HGET', 'rq:job:' .. id, 'cleanup')
  if text then
    redis.call('ZREM', 'jober:cleaning', id)
    clean_up(id, text)
  end
  redis.call('DEL', 'rq:job:' .. id, 'rq:results:' .. id, 'jober:out:' .. id .. ':log',
    'jober:attempts:' .. id)
  redis.call('ZREM', 'rq:finished:' .. queue, id)
  redis.call('ZREM', 'rq:failed:' .. queue, id)
  redis.call('ZREM', 'rq:canceled:' .. queue, id)
  redis.call('ZREM', 'jober:runs', id)
  if job then redis.call('ZREM', 'jober:runs:' .. job, id) end
end
