-- Write the end of a run and everything that hangs on it.
-- KEYS built: jober:job:<job>, rq:job:<id>, rq:results:<id>, rq:finished:<queue>, rq:canceled:<queue> or
--   rq:failed:<queue>, jober:active:<job>[@<host>], jober:overfull, jober:notices, jober:attempts:<id>,
--   jober:out:<id>:log, and those of note_end and expire_record  channel: jober:out:<id>
--#include upstream
local STATUS = { success = 'finished', skipped = 'finished', failed = 'failed', timeout = 'failed',
  cancelled = 'stopped', lost = 'failed', missed = 'canceled', poisoned = 'failed' }
local RESULT_TYPE = { success = '1', skipped = '1', cancelled = '3' }
local REGISTRY = { finished = 'rq:finished:', canceled = 'rq:canceled:' }

-- The last result that was written: its key, what is in it, and whether nothing else is, once that is known.
local like, like_alone

-- The result as RQ's tools read it, beside those of earlier attempts; a negative ttl keeps it.
-- outcome: {state, result_type (else by the state), rq_result, rq_traceback}
local function write_result(id, run, outcome, ttl)
  local key, worker = 'rq:results:' .. id, run.agent
  local type = outcome.result_type or RESULT_TYPE[outcome.state] or '2'
  local value, traceback = outcome.rq_result, outcome.rq_traceback
  -- A copy of one that is the same costs half as much, and takes less memory: a new stream is given
  -- room to grow.
  if like and like[2] == type and like[3] == worker and like[4] == value and like[5] == traceback
    and like[6] == ttl then
    if like_alone == nil then like_alone = redis.call('XLEN', like[1]) == 1 end
    if like_alone and redis.call('COPY', like[1], key) == 1 then return end
  end
  local result, length = { 'type', type, 'worker_name', worker }, 4
  length = add_fact(result, length, 'return_value', value)
  length = add_fact(result, length, 'exc_string', traceback)
  redis.call('XADD', key, 'MAXLEN', '10', '*', unpack(result, 1, length))
  if ttl < 0 then redis.call('PERSIST', key) else redis.call('EXPIRE', key, ttl) end
  like, like_alone = { key, type, worker, value, traceback, ttl }, nil
end

-- Whether anybody follows a run just now.
local followed
local function is_followed()
  if followed == nil then
    followed = #redis.call('PUBSUB', 'CHANNELS', 'jober:out:' .. '*') > 0 or redis.call('PUBSUB', 'NUMPAT') > 0
  end
  return followed
end

-- What a job says of how many of its ended runs are kept, for how many s, whether it tells somebody of their
-- ends, and whether others come after it; read once by a script.
local kept_of = {}
local function kept(job, ttl)
  local known = kept_of[job]
  if not known then
    local told = redis.call('HMGET', 'jober:job:' .. job, 'keep_runs', 'keep_s', 'notify', 'upstream')
    known = { runs = tonumber(told[1]) or 1000, ttl = tonumber(told[2]) or ttl, notifies = told[3] == '1',
      is_upstream = told[4] == '1' }
    kept_of[job] = known
  end
  return known
end

-- Jobs of which runs have ended, and registries that were added to, for flush_ends.
local ended_jobs, registries = {}, {}

-- The lists that gather what is added to, and taken out of, the registries of a queue: {added to, taken out}.
local function listed_as(status, queue)
  local of_status = registries[status]
  if not of_status then
    of_status = {}
    registries[status] = of_status
  end
  local lists = of_status[queue]
  if not lists then
    local registry = (REGISTRY[status] or 'rq:failed:') .. queue
    local other = (status == 'finished' and 'rq:failed:' or 'rq:finished:') .. queue
    lists = { gathering('ZADD', registry), redis.call('EXISTS', other) == 1 and gathering('ZREM', other) or {}, registry }
    of_status[queue] = lists
  end
  return lists
end

-- The list that gathers the runs of a job that count as active no more.
local no_more_active = {}
local function active_of(job)
  local list = no_more_active[job]
  if not list then
    list = gathering('SREM', active_key(job))
    no_more_active[job] = list
  end
  return list
end

-- The score of what is kept for so many seconds.
local score_of = {}
local function until_score(now, ttl)
  local score = score_of[ttl]
  if not score then
    score = string.format('%.3f', now / 1000 + ttl)
    score_of[ttl] = score
  end
  return score
end

-- What is told of an end, in a list that is used again; and what else a record may tell of it.
local end_fields = { 'state', '', 'status', '', 'ended_at', '' }
local END_FIELDS = { 'exit_code', 'reason', 'traceback', 'cpu_s', 'progress' }

-- run: {job, target, queue, host, agent} as read from the record, `plain` where it is known to be
-- the first attempt, without output, that nobody asked to stop, and `began_ms` where that is told with
-- its end; outcome: {state, exit_code,
-- reason, result (JSON), rq_result (as RQ reads it), traceback, rq_traceback, last_seq,
-- cpu_s, peak_memory_bytes, progress}. kept_until: the score in RQ's registry (default: when it is
-- forgotten), or false where it is not to be listed. To be followed by flush_ends.
local function write_end(id, run, outcome, now, ttl, kept_until)
  local state, job = outcome.state, run.job
  local record, status = 'rq:job:' .. id, STATUS[state]
  local usual_ttl = ttl
  if job ~= '' then ttl = kept(job, ttl).ttl end
  local fields, length = end_fields, 6
  fields[2], fields[4], fields[6] = state, status, iso(now)
  local facts, told = facts_of(run)
  facts[told + 1], facts[told + 2], facts[told + 3], facts[told + 4] = 'run', id, 'state', state
  told = told + 4
  if run.began_ms then
    local started_at = iso(math.min(run.began_ms, now))
    fields[7], fields[8], length = 'started_at', started_at, 8
    facts[told + 1], facts[told + 2], told = 'started_at', started_at, told + 2
  end
  for i = 1, #END_FIELDS do
    local value = outcome[END_FIELDS[i]]
    if value ~= nil then
      fields[length + 1], fields[length + 2] = END_FIELDS[i], value
      length = length + 2
    end
  end
  if outcome.result then
    fields[length + 1], fields[length + 2] = 'return_value', outcome.result
    length = length + 2
  end
  if outcome.peak_memory_bytes then
    fields[length + 1], fields[length + 2] = 'peak_memory_bytes', string.format('%.0f', outcome.peak_memory_bytes)
    length = length + 2
  end
  redis.call('HSET', record, unpack(fields, 1, length))
  expire_record(id, ttl)
  told = add_fact(facts, told, 'exit_code', outcome.exit_code)
  told = add_fact(facts, told, 'reason', outcome.reason)
  if job ~= '' then
    local of_job = active_of(job)
    of_job[#of_job + 1] = id
    if run.target ~= '' then gather('SREM', active_key(job, run.target), id) end
    ended_jobs[job] = math.max(ttl, usual_ttl)
  end
  if kept_until ~= false then
    local lists = listed_as(status, run.queue)
    local added, removed = lists[1], lists[2]
    added[#added + 1] = kept_until or until_score(now, ttl)
    added[#added + 1] = id
    removed[#removed + 1] = id
  end
  if state ~= 'missed' then write_result(id, run, outcome, ttl) end -- of what never began, RQ has none
  if not run.plain then
    redis.call('HDEL', record, 'cancel_requested')
    redis.call('EXPIRE', 'jober:attempts:' .. id, ttl)
    redis.call('EXPIRE', 'jober:out:' .. id .. ':log', ttl)
  end
  if run.job ~= '' and kept(run.job, ttl).is_upstream then
    note_end(id, run, state, now, ttl)
    like = nil -- what is kept has no expiry that a copy could take over
  end
  if is_followed() then
    redis.call('PUBLISH', 'jober:out:' .. id, cmsgpack.pack(
      { 'end', state, outcome.exit_code or false, outcome.last_seq or 0 }))
  end
  tell_facts('run.finished', ms_text(now), unpack(facts, 1, told))
  if job ~= '' and kept(job, ttl).notifies then
    redis.call('XADD', 'jober:notices', 'MAXLEN', '~', '10000', '*', 'at', ms_text(now), unpack(facts, 1, told))
  end
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
  for _, of_status in pairs(registries) do
    for _, lists in pairs(of_status) do redis.call('ZREMRANGEBYSCORE', lists[3], 0, now / 1000) end
  end
  ended_jobs, registries, no_more_active = {}, {}, {}
end
