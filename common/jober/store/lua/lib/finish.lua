-- Write the end of a run and everything that hangs on it.
-- KEYS built: rq:job:<id>, rq:results:<id>, rq:finished:<queue>, rq:canceled:<queue> or
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

-- run: {job, target, queue, agent, attempt} as read from the record; outcome: {state, exit_code,
-- reason, result (JSON), rq_result (as RQ reads it), traceback, rq_traceback, last_seq,
-- cpu_s, peak_memory_bytes}.
local function write_end(id, run, outcome, now, ttl)
  local state = outcome.state
  local record = 'rq:job:' .. id
  local fields = { 'state', state, 'status', STATUS[state], 'ended_at', iso(now) }
  local function field(name, value)
    if value ~= nil then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  field('exit_code', outcome.exit_code)
  field('reason', outcome.reason)
  field('return_value', outcome.result)
  field('traceback', outcome.traceback)
  field('cpu_s', outcome.cpu_s)
  field('peak_memory_bytes', outcome.peak_memory_bytes and string.format('%.0f', outcome.peak_memory_bytes))
  field('progress', outcome.progress)
  redis.call('HSET', record, unpack(fields))
  redis.call('HDEL', record, 'cancel_requested')
  redis.call('EXPIRE', record, ttl)
  if run.job ~= '' then
    count_active('SREM', id, run.job, run.target)
    redis.call('ZREMRANGEBYSCORE', 'jober:runs:' .. run.job, '-inf', now - 2000 * ttl)
    -- The pruner is told of a list that has grown past its bound (KEEP_PER_JOB there).
    if redis.call('ZCARD', 'jober:runs:' .. run.job) > 1100 then
      redis.call('SADD', 'jober:overfull', run.job)
    end
  end

  local expires = now / 1000 + ttl
  local good = STATUS[state] == 'finished'
  local registry = (REGISTRY[STATUS[state]] or 'rq:failed:') .. run.queue
  redis.call('ZADD', registry, expires, id)
  redis.call('ZREM', (good and 'rq:failed:' or 'rq:finished:') .. run.queue, id)
  -- Members whose records have expired: RQ's own cleanup would do the same.
  redis.call('ZREMRANGEBYSCORE', registry, 0, now / 1000)
  if state ~= 'missed' then write_result(id, run, outcome, ttl) end -- of what never began, RQ has none
  redis.call('EXPIRE', 'jober:attempts:' .. id, ttl)
  redis.call('EXPIRE', 'jober:out:' .. id .. ':log', ttl)
  redis.call('PUBLISH', 'jober:out:' .. id, cmsgpack.pack(
    { 'end', state, outcome.exit_code or false, outcome.last_seq or 0 }))
  tell('run.finished', now, { run = id, job = run.job, state = state, host = run.host,
    agent = run.agent, exit_code = outcome.exit_code, reason = outcome.reason })
end
