-- Write the end of a run and everything that hangs on it.
-- KEYS built: jober:job:<job>, rq:job:<id>, rq:results:<id>, rq:finished:<queue>, rq:canceled:<queue> or
--   rq:failed:<queue>, jober:active:<job>[@<host>], jober:overfull, jober:attempts:<id>,
--   jober:out:<id>:log  channel: jober:out:<id>
local STATUS = { success = 'finished', skipped = 'finished', failed = 'failed', timeout = 'failed',
  cancelled = 'stopped', lost = 'failed', missed = 'canceled', poisoned = 'failed' }
local RESULT_TYPE = { success = 1, skipped = 1, cancelled = 3 }
local REGISTRY = { finished = 'rq:finished:', canceled = 'rq:canceled:' }

-- The result as RQ's tools read it, beside those of earlier attempts; a negative ttl keeps it.
-- outcome: {state, result_type (else by the state), rq_result, rq_traceback}
local function write_result(id, run, outcome, ttl)
  local key = 'rq:results:' .. id
  local result = { 'type', outcome.result_type or RESULT_TYPE[outcome.state] or 2, 'worker_name', run.agent }
  local function field(name, value)
    if value then
      result[#result + 1] = name
      result[#result + 1] = value
    end
  end
  field('return_value', outcome.rq_result)
  field('exc_string', outcome.rq_traceback)
  redis.call('XADD', key, 'MAXLEN', 10, '*', unpack(result))
  if ttl < 0 then redis.call('PERSIST', key) else redis.call('EXPIRE', key, ttl) end
end

-- Whether anybody follows a run just now.
local followed
local function is_followed()
  if followed == nil then
    followed = #redis.call('PUBSUB', 'CHANNELS', 'jober:out:' .. '*') > 0 or redis.call('PUBSUB', 'NUMPAT') > 0
  end
  return followed
end

-- What a job says of how many of its ended runs are kept, and for how many s; read once by a script.
local kept_of = {}
local function kept(job, ttl)
  local known = kept_of[job]
  if not known then
    local told = redis.call('HMGET', 'jober:job:' .. job, 'keep_runs', 'keep_s')
    known = { runs = tonumber(told[1]) or 1000, ttl = tonumber(told[2]) or ttl }
    kept_of[job] = known
  end
  return known
end

-- Jobs of which runs have ended, and registries that were added to, for flush_ends.
local ended_jobs, registries = {}, {}

-- What a record may tell of an end.
local END_FIELDS = { 'exit_code', 'reason', 'traceback', 'cpu_s', 'progress' }

-- run: {job, target, queue, host, agent} as read from the record, `plain` where it is known to be
-- the first attempt, without output, that nobody asked to stop, and `began_ms` where that is told with
-- its end; outcome: {state, exit_code,
-- reason, result (JSON), rq_result (as RQ reads it), traceback, rq_traceback, last_seq,
-- cpu_s, peak_memory_bytes, progress}. kept_until: the score in RQ's registry (default: when it is
-- forgotten), or false where it is not to be listed. To be followed by flush_ends.
local function write_end(id, run, outcome, now, ttl, kept_until)
  local state = outcome.state
  local record, status = 'rq:job:' .. id, STATUS[state]
  local usual_ttl = ttl
  if run.job ~= '' then ttl = kept(run.job, ttl).ttl end
  local fields = { 'state', state, 'status', status, 'ended_at', iso(now) }
  local facts = { 'run', id, 'state', state }
  local started_at = run.began_ms and iso(math.min(run.began_ms, now))
  if started_at then
    fields[7], fields[8] = 'started_at', started_at
    facts[5], facts[6] = 'started_at', started_at
  end
  for _, name in ipairs(END_FIELDS) do
    local value = outcome[name]
    if value ~= nil then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  if outcome.result then
    fields[#fields + 1] = 'return_value'
    fields[#fields + 1] = outcome.result
  end
  if outcome.peak_memory_bytes then
    fields[#fields + 1] = 'peak_memory_bytes'
    fields[#fields + 1] = string.format('%.0f', outcome.peak_memory_bytes)
  end
  redis.call('HSET', record, unpack(fields))
  redis.call('EXPIRE', record, ttl)
  local function fact(name, value)
    if value and value ~= '' then
      facts[#facts + 1] = name
      facts[#facts + 1] = value
    end
  end
  fact('job', run.job)
  fact('host', run.host)
  fact('agent', run.agent)
  fact('exit_code', outcome.exit_code)
  fact('reason', outcome.reason)
  if run.job ~= '' then
    gather('SREM', active_key(run.job), id)
    if run.target ~= '' then gather('SREM', active_key(run.job, run.target), id) end
    ended_jobs[run.job] = math.max(ttl, usual_ttl)
  end
  if kept_until ~= false then
    local registry = (REGISTRY[status] or 'rq:failed:') .. run.queue
    registries[registry] = true
    gather_score(registry, kept_until or now / 1000 + ttl, id)
    gather('ZREM', (status == 'finished' and 'rq:failed:' or 'rq:finished:') .. run.queue, id)
  end
  if state ~= 'missed' then write_result(id, run, outcome, ttl) end -- of what never began, RQ has none
  if not run.plain then
    redis.call('HDEL', record, 'cancel_requested')
    redis.call('EXPIRE', 'jober:attempts:' .. id, ttl)
    redis.call('EXPIRE', 'jober:out:' .. id .. ':log', ttl)
  end
  if is_followed() then
    redis.call('PUBLISH', 'jober:out:' .. id, cmsgpack.pack(
      { 'end', state, outcome.exit_code or false, outcome.last_seq or 0 }))
  end
  tell_facts('run.finished', ms_text(now), unpack(facts))
end

-- What is done once for all ends that a script has written.
local function flush_ends(now)
  flush_gathered()
  for job, ttl in pairs(ended_jobs) do
    redis.call('ZREMRANGEBYSCORE', 'jober:runs:' .. job, '-inf', now - 2000 * ttl)
    -- The pruner is told of a list that has grown past its bound, by a tenth.
    if redis.call('ZCARD', 'jober:runs:' .. job) > math.floor(kept(job, ttl).runs * 1.1) then
      redis.call('SADD', 'jober:overfull', job)
    end
  end
  -- Members whose records have expired: RQ's own cleanup would do the same.
  for registry in pairs(registries) do redis.call('ZREMRANGEBYSCORE', registry, 0, now / 1000) end
  ended_jobs, registries = {}, {}
end
