-- An attempt has begun: how that is told, and what it changes where the attempt was reserved.
-- KEYS built: rq:job:<id>
-- run: {job, host, agent}; attempt: as text
local function tell_started(id, run, attempt, at)
  local facts, length = facts_of(run)
  facts[length + 1], facts[length + 2], facts[length + 3], facts[length + 4] = 'run', id, 'attempt', attempt
  tell_facts('run.started', ms_text(at), unpack(facts, 1, length + 4))
end

local function begin(id, attempt, run, began_ms, now)
  local at = math.min(began_ms, now)
  redis.call('HSET', 'rq:job:' .. id, 'state', 'running', 'started_at', iso(at))
  tell_started(id, run, attempt, at)
end
