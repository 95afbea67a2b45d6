-- A reserved run has begun.
-- KEYS built: rq:job:<id>
local function begin(id, attempt, run, began_ms, now)
  local at = math.min(began_ms, now)
  redis.call('HSET', 'rq:job:' .. id, 'state', 'running', 'started_at', iso(at))
  tell('run.started', at, { run = id, job = run.job, host = run.host, agent = run.agent, attempt = attempt })
end
