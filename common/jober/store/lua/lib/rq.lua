-- The end of an attempt of a plain RQ job, as RQ's own worker has it (rq 2.12: handle_job_success,
-- handle_job_failure and handle_job_retry of worker/base.py, retry of job.py, repeat.py,
-- enqueue_dependents of queue.py), in one step.
-- KEYS built: rq:job:<id>, rq:job:<id>:dependents, rq:job::<id>:dependencies, rq:results:<id>,
--   rq:scheduled:<queue>, rq:deferred:<queue>, rq:finished:<queue>, rq:failed:<queue>,
--   jober:runs, and those of enqueue_rq, write_end, write_result and keep_attempt
-- RQ's defaults of result_ttl and failure_ttl, in seconds.
local RESULT_TTL, FAILURE_TTL = 500, 31536000
-- RQ's types of results, beyond those of write_result.
local RETRIED, MAX_RETRIES_EXCEEDED = '4', '5'

-- Have it run again, after so many seconds or at once.
local function again_rq(id, run, outcome, interval_s, at_front, now)
  local record = 'rq:job:' .. id
  local was = redis.call('HMGET', record, 'attempt', 'started_at')
  local due = now + interval_s * 1000
  keep_attempt(id, run, outcome, was[1], was[2], now)
  redis.call('HDEL', record, 'started_at', 'cancel_requested')
  for _, name in ipairs({ 'exit_code', 'reason', 'traceback' }) do
    if outcome[name] then redis.call('HSET', record, name, outcome[name]) end
  end
  tell('run.retrying', now, { run = id, host = run.host, agent = run.agent, attempt = was[1],
    state = outcome.state, exit_code = outcome.exit_code, reason = outcome.reason, retry_at = iso(due) })
  if interval_s > 0 then
    redis.call('HSET', record, 'state', 'delayed', 'status', 'scheduled', 'retry_at', iso(due))
    expire_waiting(record)
    redis.call('ZADD', 'rq:scheduled:' .. run.queue, string.format('%.3f', due / 1000), id)
  else
    enqueue_rq(id, run.queue, at_front, now)
  end
end

-- Whether all that a job depends on, but for `parent`, which has just ended well enough, is done.
local function is_met(id, parent, allow_failures)
  for _, other in ipairs(redis.call('SMEMBERS', 'rq:job::' .. id .. ':dependencies')) do
    local status = other ~= parent and redis.call('HGET', 'rq:job:' .. other, 'status')
    if status and status ~= 'finished' and not (allow_failures and status == 'failed') then
      return false
    end
  end
  return true
end

-- Put what waited for a job that has `finished` or `failed` into its queue, if it waits for no other;
-- how many there were that waited.
local function enqueue_dependents(id, status, now)
  local key = 'rq:job:' .. id .. ':dependents'
  local dependents = redis.call('SMEMBERS', key)
  for _, dependent in ipairs(dependents) do
    local job = redis.call('HMGET', 'rq:job:' .. dependent, 'status', 'origin',
      'allow_dependency_failures', 'enqueue_at_front')
    local allow_failures = job[3] == '1'
    if job[1] == 'deferred' and job[2] and (status == 'finished' or allow_failures)
      and is_met(dependent, id, allow_failures) then
      redis.call('ZREM', 'rq:deferred:' .. job[2], dependent)
      redis.call('SREM', key, dependent)
      enqueue_rq(dependent, job[2], job[4] == '1', now)
    end
  end
  return #dependents
end

-- It has ended, for good; ttl_s as RQ reads it: 0 forgets it at once, a negative one never. `depends`:
-- it has waited for others; `is_last` in run: it is known that none waits for it.
local function end_rq(id, run, outcome, ttl_s, depends, now, keep_s)
  local status = STATUS[outcome.state]
  local kept_s = ttl_s > 0 and ttl_s or keep_s
  local record = 'rq:job:' .. id
  -- A late end, while it waited to be tried again.
  if not run.plain then redis.call('ZREM', 'rq:scheduled:' .. run.queue, id) end
  local kept_until
  if ttl_s < 0 then kept_until = '+inf' elseif ttl_s == 0 then kept_until = false end
  write_end(id, run, outcome, now, kept_s, kept_until)
  local dependents = 0
  if status == 'stopped' then
    dependents = 1
  elseif not run.is_last then
    dependents = enqueue_dependents(id, status, now)
  end
  if ttl_s == 0 then
    redis.call('DEL', record, record .. ':dependents', 'rq:job::' .. id .. ':dependencies', 'rq:results:' .. id,
      'jober:out:' .. id .. ':log', 'jober:attempts:' .. id)
    redis.call('ZREM', 'rq:finished:' .. run.queue, id)
    redis.call('ZREM', 'rq:failed:' .. run.queue, id)
    redis.call('ZREM', 'jober:runs', id)
    return
  end
  if ttl_s < 0 then
    redis.call('PERSIST', record)
    redis.call('PERSIST', 'rq:results:' .. id)
  else
    if dependents > 0 then redis.call('EXPIRE', record .. ':dependents', kept_s) end
    if depends then redis.call('EXPIRE', 'rq:job::' .. id .. ':dependencies', kept_s) end
  end
  if run.plain then return end
  redis.call('EXPIRE', 'jober:attempts:' .. id, math.min(kept_s, keep_s))
  redis.call('EXPIRE', 'jober:out:' .. id .. ':log', math.min(kept_s, keep_s))
end

-- The numbers of a JSON list, as RQ keeps intervals; empty where there is none, or other than numbers.
local function intervals_of(text)
  local good, list = pcall(cjson.decode, text or '[]')
  if not good or type(list) ~= 'table' then return {} end
  for _, interval in pairs(list) do
    if type(interval) ~= 'number' or not (math.abs(interval) <= 1e9) then return {} end
  end
  return list
end

-- What a record says of what is to be done at its end.
local AT_END_RQ = { 'result_ttl', 'failure_ttl', 'retries_left', 'retry_intervals', 'enqueue_at_front_on_retry',
  'repeats_left', 'repeat_intervals', 'number_of_retries', 'dependency_ids', 'dependency_id' }

-- An attempt has ended. outcome: as for write_end; beside that `retry`, where the job returned an
-- rq.Retry: {max, intervals}. job: the values of AT_END_RQ, where they have been read. True where it is run again.
local function finish_rq(id, run, outcome, now, keep_s, job)
  local record = 'rq:job:' .. id
  job = job or redis.call('HMGET', record, unpack(AT_END_RQ))
  local depends = (job[9] or job[10] or '') ~= ''
  local failure_ttl = number_rq(job[2], FAILURE_TTL)
  local status = STATUS[outcome.state]
  if status == 'finished' then
    local result_ttl, repeats_left = number_rq(job[1], RESULT_TTL), number_rq(job[6], 0)
    if repeats_left <= 0 then
      end_rq(id, run, outcome, result_ttl, depends, now, keep_s)
      return false
    end
    if run.began_ms then begin(id, 1, run, run.began_ms, now) end
    enqueue_dependents(id, status, now)
    if result_ttl ~= 0 then
      write_result(id, run, outcome, result_ttl)
      redis.call('ZADD', 'rq:finished:' .. run.queue,
        result_ttl < 0 and '+inf' or now / 1000 + result_ttl, id)
    end
    local intervals = intervals_of(job[7])
    redis.call('HSET', record, 'repeats_left', repeats_left - 1)
    -- The list is read from the end: what is left of the repeats counts down.
    again_rq(id, run, outcome, intervals[math.min(repeats_left, #intervals)] or 0, false, now)
    return true
  end
  local retry, retries_left = outcome.retry, number_rq(job[3], 0)
  if retry then
    local retried = number_rq(job[8], 0)
    if retried == 0 or retried < retry.max then
      outcome.result_type, outcome.rq_traceback = RETRIED, nil
      write_result(id, run, outcome, failure_ttl)
      redis.call('HSET', record, 'number_of_retries', retried + 1)
      again_rq(id, run, outcome, retry.intervals[math.min(retried + 1, #retry.intervals)] or 0, false, now)
      return true
    end
    outcome.result_type, outcome.rq_traceback = MAX_RETRIES_EXCEEDED, nil
  elseif retries_left > 0 and status ~= 'stopped' and outcome.state ~= 'poisoned' then
    local intervals = intervals_of(job[4])
    redis.call('HSET', record, 'retries_left', retries_left - 1)
    again_rq(id, run, outcome, intervals[math.max(#intervals - retries_left, 0) + 1] or 0,
      job[5] == '1', now)
    return true
  end
  outcome.result_type = outcome.result_type or '2' -- what was stopped too, of which RQ tells as of a failure
  end_rq(id, run, outcome, failure_ttl, depends, now, keep_s)
  return false
end
