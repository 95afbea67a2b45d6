-- A bound run (one with a target host) counts for its host, any other for the fleet.
-- KEYS built from what was read: jober:active:<job>[@<host>], jober:bell:<queue>, rq:queue:<queue>
--   channel: jober:control
local function active_key(job, host)
  return 'jober:active:' .. job .. (host and host ~= '' and '@' .. host or '')
end

-- Count a run, or no more, among those of its job that have not ended, and of the host that it is
-- bound to (or nil, or ''): command is SADD or SREM.
local function count_active(command, id, job, host)
  redis.call(command, active_key(job), id)
  if host and host ~= '' then redis.call(command, active_key(job, host), id) end
end

-- Wake one agent that waits at the queue; one token is enough, since a claim that leaves
-- something behind rings again.
local function ring(queue)
  local bell = 'jober:bell:' .. queue
  if redis.call('LLEN', bell) == 0 then
    redis.call('RPUSH', bell, '1')
    redis.call('EXPIRE', bell, 60)
  end
end

-- Queues have come up: agents that serve them are to wait at their bells, too.
local function tell_of_queues(queues)
  redis.call('PUBLISH', 'jober:control', cjson.encode({ command = 'queues', queues = queues }))
end

local function push(queue, id)
  redis.call('RPUSH', 'rq:queue:' .. queue, id)
  ring(queue)
end
