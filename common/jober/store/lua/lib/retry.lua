-- Put a run off until another attempt, and keep how this one ended.
-- KEYS built: rq:job:<id>, jober:attempts:<id>, jober:delayed, jober:job:<job>
-- How many ended attempts are kept of a run.
local KEEP_ATTEMPTS = 100
-- How long after it is due again a run is left to other hosts than the one where it failed.
local AVOID_MS = 5000

-- Keep how an attempt ended; run: {host, agent}.
local function keep_attempt(id, run, outcome, attempt, started_at, now)
  local key = 'jober:attempts:' .. id
  redis.call('RPUSH', key, cjson.encode({ attempt = tonumber(attempt), state = outcome.state,
    host = run.host, agent = run.agent, started_at = started_at or nil, ended_at = iso(now),
    exit_code = outcome.exit_code, reason = outcome.reason }))
  redis.call('LTRIM', key, -KEEP_ATTEMPTS, -1)
  redis.call('PERSIST', key)
end

-- Whether a job is gone that a run was made from, and with it what would keep its limits; a run without a
-- job ('_') has none.
local function is_gone(job)
  return job ~= '_' and redis.call('EXISTS', 'jober:job:' .. job) == 0
end

-- run: {job, target, host, agent}; outcome: {state, exit_code, reason, traceback}. False, and nothing is
-- done, where somebody wants it stopped, or its job is gone by now.
local function put_off(id, run, outcome, retry_in_ms, now)
  local record = 'rq:job:' .. id
  local was = redis.call('HMGET', record, 'cancel_requested', 'attempt', 'started_at', 'fallback')
  if was[1] or is_gone(run.job) then return false end
  local due = now + retry_in_ms
  keep_attempt(id, run, outcome, was[2], was[3], now)
  local fields = { 'state', 'delayed', 'status', 'scheduled', 'retry_at', iso(due) }
  local function field(name, value)
    if value ~= nil then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  field('exit_code', outcome.exit_code)
  field('reason', outcome.reason)
  field('traceback', outcome.traceback)
  -- A run that is bound to a host has nowhere else to go.
  if run.target == '' then field('avoid', run.host .. ' ' .. string.format('%.0f', due + AVOID_MS)) end
  if was[4] then field('origin', string.match(was[4], '^%d+ (.*)$')) end
  redis.call('HDEL', record, 'started_at', 'worker_name', 'fallback')
  redis.call('HSET', record, unpack(fields))
  redis.call('ZADD', 'jober:delayed', string.format('%.0f', due), id)
  tell('run.retrying', now, { run = id, job = run.job, host = run.host, agent = run.agent,
    attempt = was[2], state = outcome.state, exit_code = outcome.exit_code, reason = outcome.reason,
    retry_at = iso(due) })
  return true
end

-- Of a run that waits for another attempt, the last one has ended well after all.
local function take_back(id)
  redis.call('ZREM', 'jober:delayed', id)
  redis.call('HDEL', 'rq:job:' .. id, 'retry_at', 'avoid', 'exit_code', 'reason', 'traceback')
  local kept = redis.call('RPOP', 'jober:attempts:' .. id)
  local started_at = kept and cjson.decode(kept).started_at
  if started_at then redis.call('HSET', 'rq:job:' .. id, 'started_at', started_at) end
end
