-- Write the end of a run and everything that hangs on it.
-- KEYS built: rq:job:<id>, rq:results:<id>, rq:finished:<queue>, rq:canceled:<queue> or
--   rq:failed:<queue>, jober:active:<job>[@<host>], jober:overfull, jober:attempts:<id>,
--   jober:out:<id>:log  channel: jober:out:<id>
local STATUS = { success = 'finished', skipped = 'finished', failed = 'failed', timeout = 'failed',
  cancelled = 'stopped', lost = 'failed', missed = 'canceled', poisoned = 'failed' }
local RESULT_TYPE = { success = 1, skipped = 1, cancelled = 3 }
local REGISTRY = { finished = 'rq:finished:', canceled = 'rq:canceled:' }

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
    redis.call('SREM', active_key(run.job, run.target), id)
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
  redis.call('ZREMRANGEBYSCORE', registry, '-inf', now / 1000)
  if state ~= 'missed' then -- of what never began, RQ has no result
    local results = 'rq:results:' .. id
    local result = { 'type', RESULT_TYPE[state] or 2, 'worker_name', run.agent }
    if good and outcome.rq_result then
      result[#result + 1] = 'return_value'
      result[#result + 1] = outcome.rq_result
    elseif not good then
      result[#result + 1] = 'exc_string'
      result[#result + 1] = outcome.rq_traceback
    end
    redis.call('XADD', results, 'MAXLEN', 10, '*', unpack(result))
    redis.call('EXPIRE', results, ttl)
  end
  redis.call('EXPIRE', 'jober:attempts:' .. id, ttl)
  redis.call('EXPIRE', 'jober:out:' .. id .. ':log', ttl)
  redis.call('PUBLISH', 'jober:out:' .. id, cmsgpack.pack(
    { 'end', state, outcome.exit_code or false, outcome.last_seq or 0 }))
  tell('run.finished', now, { run = id, job = run.job, state = state, host = run.host,
    agent = run.agent, exit_code = outcome.exit_code, reason = outcome.reason })
end
