-- What a run is made from: the fields of a job, in a list by these numbers, or nil where there is no
-- such job. (A list, and not names, since FIRE does this by the ten thousand.)
local REVISION, PAUSED, CURSOR, QUEUE, DATA, OPTIONS, DESCRIPTION, TIMEOUT, OVERLAP, FLEET_LIMIT,
  HOST_LIMIT, FIRES, TOLD, EXPIRES, WAITS, CLEANUP, SEAL = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
local function read_job(key)
  local job = redis.call('HMGET', key, 'revision', 'paused', 'cursor', 'queue', 'data', 'options',
    'description', 'timeout', 'overlap', 'fleet_limit', 'host_limit', 'fires', 'told',
    'expires', 'waits', 'cleanup', 'seal')
  return job[REVISION] and job or nil
end

-- New runs, listed first: their records are written one by one, what they share once, by flush_runs
-- at the end.
-- KEYS built: rq:job:<id>, jober:runs:<job>, jober:active:<job>[@<host>], jober:expiring; by flush_runs:
--   rq:queues, rq:queue:<queue>, jober:bell:<queue>, jober:runs, and those of wake_needing; by hold_back:
--   those of begin_waiting and hold; and those of note_cleanup
--#include needing
local new_runs, new_in_queue = {}, {}
local new_at, new_score
local any_waiting = false

-- Note a run in the list of its job; false where it is there already, so that the same fire, or a
-- call that is sent again, makes it once.
local function list_run(id, name, now)
  if not new_at then new_at, new_score = iso(now), string.format('%.0f', now) end
  return redis.call('ZADD', 'jober:runs:' .. name, 'NX', new_score, id) == 1
end

-- How long a run waits for the host that was preferred for it, before it goes to any; and for the host
-- that it is bound to, where that takes none, and no later fire says so.
local PREFERRED_MS, BOUND_MS = 5000, 3600000

-- It waits for runs of other jobs (waits: JSON), before it goes to its queue.
local function hold_back(id, name, run, waits)
  local at = ms_text(run.fire_at or tonumber(new_score))
  redis.call('HSET', 'rq:job:' .. id, 'state', 'waiting', 'status', 'deferred', 'waits', waits,
    'waits_at', at)
  redis.call('HDEL', 'rq:job:' .. id, 'kind') -- it may be given other data than the others
  if run.needed then
    redis.call('HSET', 'rq:job:' .. id, 'needed', run.needed)
    each_settled(run.needed, hold)
  end
  begin_waiting(id, waits, tonumber(new_score))
  any_waiting = true
  tell('run.waiting', tonumber(new_score), { run = id, job = name, trigger = run.trigger,
    fire_at = run.fire_at and iso(run.fire_at) })
end

-- What kind of run it is: CLAIM knows from one what it needs to know of all of the same kind.
local of_last, kind_of_last = {}, nil
local function kind_of(name, data, options, trigger, timeout, fire_at, term, expires_at)
  local last = of_last
  if last[1] ~= name or last[2] ~= data or last[3] ~= options or last[4] ~= trigger or last[5] ~= timeout
    or last[6] ~= fire_at or last[7] ~= term or last[8] ~= expires_at then
    of_last = { name, data, options, trigger, timeout, fire_at, term, expires_at }
    kind_of_last = string.sub(redis.sha1hex(table.concat(of_last, '\n')), 1, 16)
  end
  return kind_of_last
end

-- Write a run that was listed. run: {trigger, host, may_move, until_ms, fire_at (ms), term, queue, data,
-- options, description, timeout, expires (ms), after (the run that started it), waits (JSON, '' for
-- nothing), needed (JSON of the runs that it waits for, by job), order (that it is to be run, signed), seal
-- (of what it does, where that is its own)}, the first always.
local function write_run(id, name, job, run)
  local host = run.host
  local of_roles = run.queue or job[QUEUE]
  local queue = of_roles
  -- The queue of a host has the priority of the job's own.
  if host then queue = '@' .. host .. (string.match(queue, '%^%d$') or '') end
  local fire_at = run.fire_at and iso(run.fire_at)
  local expires = run.expires or job[EXPIRES]
  local expires_at = expires and expires ~= ''
    and string.format('%.0f', (run.fire_at or tonumber(new_score)) + expires)
  local data, options, timeout = run.data or job[DATA], run.options or job[OPTIONS], run.timeout or job[TIMEOUT]
  -- First what is looked at most: Redis looks for a field from there.
  redis.call('HSET', 'rq:job:' .. id, 'status', 'queued', 'state', 'queued', 'kind', kind_of(name, data, options,
    run.trigger, timeout, fire_at or '', run.term or '', expires_at or ''), 'origin', queue, 'job', name,
    'data', data, 'created_at', new_at, 'enqueued_at', new_at, 'description', run.description or job[DESCRIPTION],
    'timeout', timeout, 'trigger', run.trigger, 'revision', job[REVISION] or '', 'options', options,
    'target', run.may_move and '' or host or '', 'fire_at', fire_at or '', 'term', run.term or '')
  if run.may_move then
    redis.call('HSET', 'rq:job:' .. id, 'fallback',
      string.format('%.0f ', tonumber(new_score) + PREFERRED_MS) .. of_roles)
  elseif host then
    redis.call('HSET', 'rq:job:' .. id, 'bound_until',
      run.until_ms or string.format('%.0f', (run.fire_at or tonumber(new_score)) + BOUND_MS))
  end
  count_active('SADD', id, name, not run.may_move and host)
  if expires_at then
    redis.call('HSET', 'rq:job:' .. id, 'expires_at', expires_at)
    redis.call('ZADD', 'jober:expiring', expires_at, id)
  end
  if (job[CLEANUP] or '') ~= '' then note_cleanup(id, job[CLEANUP]) end
  if run.order then
    redis.call('HSET', 'rq:job:' .. id, 'order', run.order, 'seal', run.seal or job[SEAL] or '')
  end
  if run.after then redis.call('HSET', 'rq:job:' .. id, 'after', run.after) end
  new_runs[#new_runs + 1] = new_score
  new_runs[#new_runs + 1] = id
  local waits = run.waits or job[WAITS] or ''
  if waits ~= '' then
    hold_back(id, name, run, waits)
    return
  end
  if fire_at then
    tell_facts('run.queued', new_score, 'run', id, 'job', name, 'queue', queue,
      'trigger', run.trigger, 'fire_at', fire_at)
  else
    tell_facts('run.queued', new_score, 'run', id, 'job', name, 'queue', queue,
      'trigger', run.trigger)
  end
  local ids = new_in_queue[queue]
  if ids then ids[#ids + 1] = id else new_in_queue[queue] = { id } end
end

-- A queue that may be new is made known to agents.
local function announce(queue)
  if redis.call('SADD', 'rq:queues', 'rq:queue:' .. queue) == 1 then
    tell_of_queues({ queue })
  end
end

-- Runs of a job that are made by themselves: by hand, or since another has ended. placed: the hosts that
-- the job ran on, the latest last (or '': as it is). The ids of those that are new.
local function enqueue_runs(name, job, runs, placed, now)
  local new = {}
  for _, run in ipairs(runs) do
    if list_run(run.id, name, now) then
      write_run(run.id, name, job, run)
      for _, field in ipairs({ 'spec', 'arguments', 'call' }) do
        if run[field] then redis.call('HSET', 'rq:job:' .. run.id, field, run[field]) end
      end
      new[#new + 1] = run.id
    end
  end
  if placed ~= '' then redis.call('HSET', 'jober:job:' .. name, 'placed', placed) end
  return new
end

-- Put them into the lists and the queues, and ring the bells.
local function flush_runs()
  for start = 1, #new_runs, 1000 do
    redis.call('ZADD', 'jober:runs', unpack(new_runs, start, math.min(start + 999, #new_runs)))
  end
  for queue, ids in pairs(new_in_queue) do
    announce(queue)
    for start = 1, #ids, 1000 do
      redis.call('RPUSH', 'rq:queue:' .. queue, unpack(ids, start, math.min(start + 999, #ids)))
    end
    ring(queue)
  end
  if any_waiting then wake_needing() end
end
