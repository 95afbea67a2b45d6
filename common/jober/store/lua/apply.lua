-- APPLY: write and remove definitions and calendars, all of them or none.
-- KEYS  1 jober:jobs  2 jober:due  3 jober:wake  4 jober:waiting  5 jober:calendars
--       6 jober:calendars:revision  7 jober:limits  8 jober:services  9 jober:volatile
--       10 jober:overfull
--       built: jober:job:<name>, rq:queues, and on removal the expiry of jober:runs:<name>,
--       jober:ledger:<name>, jober:former:<name>, jober:calendar:<calendar>:jobs,
--       jober:limit:<limit>:jobs, jober:failing:<name> (removed), and those of cancel_run, stop_service,
--       is_over, links_at, relink, write_upstream, list_job and list_paused
-- ARGV  1 msgpack list of {op = 'add' | 'put' | 'remove', name, fields = {schema, spec, schedule, queue,
--         data, options, description, timeout, overlap, fleet_limit, host_limit, limits, weight, priority,
--         service (JSON, or ''), calendars (names with a space between; of limits with a comma), keep_runs,
--         keep_s, volatile, protected ('1' or ''), waits (JSON, or ''), before, on_success, on_failure (names
--         with a comma between), noted ('1' or ''), listed (JSON list), seal (or ''), anchor (ms, where
--         it is sealed)}, if_revision (it has to be of this revision still), force (a protected job too),
--         unprotects (nothing else differs but the protection), unless (of 'remove': 'running', refused while a run goes on; 'not over',
--         left as it is unless it is volatile and over), since_ms (of what is new: from when it would have been
--         there), and of a job that is restored state = {revision, cursor, anchor, paused ('1' or '0'), fires, placed, created_at, updated_at
--         (texts but for revision and cursor), missed (fields of a decision in the ledger, in a list)}}
--         or {op = 'calendar', name, spec (JSON; false to remove it), unless ('in use', refused while a job names it)}
--         or {op = 'limit', name, slots (false to remove it)}
--       2 ms that the history of a removed job is kept  3 s that a finished run is kept
--       4 traceback of a cancelled run, as RQ reads it
-- Reply {'ok', list of 'added' | 'changed' | 'same' | 'removed' | 'absent' | 'kept' | 'written'}, or, and
--   nothing is written: {'exists', name}, {'protected', name}, {'running', name, a run of it},
--   {'revised', name, its revision, or '' where it is gone}, {'calendar in use', calendar, a job that names it},
--   {'no limit', job, limit}, {'limit in use', limit, a job that names it},
--   {'no job', job, one that it names}, {'job in use', job, one that names it}, {'service', job, one that it
--   names}, {'loop', job, the one that comes after it, …, the first again}
-- A changed schedule counts from now on: what it would have fired before is not caught up. Its
-- intervals count from the last fire, which is the anchor from then on. A changed calendar is a change
-- of every schedule that names it. A restored state is taken over, but nothing up to now is caught up.
--#include time
--#include event
--#include queue
--#include park
--#include gather
--#include finish
--#include cancel
--#include service
--#include over
--#include links
--#include lists
local changes = cmsgpack.unpack(ARGV[1])

-- Why a job may not be changed or removed, or not without force, or nil. What is written already, since the
-- call has come twice, is not refused.
local function held_back(change)
  local job = redis.call('HMGET', 'jober:job:' .. change.name, 'protected', 'spec', 'revision')
  if change.if_revision and tonumber(job[3] or 0) ~= change.if_revision
    and not (change.fields and change.fields.spec == job[2]) and (change.fields or job[3]) then
    return { 'revised', change.name, job[3] or '' }
  end
  if job[1] == '1' and not (change.force or change.state or change.unprotects)
    and not (change.fields and change.fields.spec == job[2]) then
    return { 'protected', change.name }
  elseif change.unless == 'running' and not change.force then
    for _, id in ipairs(redis.call('SMEMBERS', 'jober:active:' .. change.name)) do
      local state = redis.call('HGET', 'rq:job:' .. id, 'state')
      if state == 'running' or state == 'reserved' then return { 'running', change.name, id } end
    end
  end
end

-- What is wrong with the changes, or nil: a job that is there already or held back, or a limit that is
-- missing.
local function refusal()
  local slots, names_limits, calendars = {}, {}, {}
  for _, change in ipairs(changes) do
    local held = (change.op == 'put' or change.op == 'remove') and held_back(change)
    if held then return held end
    if change.op == 'add' and redis.call('ZSCORE', KEYS[1], change.name) then
      return { 'exists', change.name }
    elseif change.op == 'limit' then
      slots[change.name] = change.slots
    elseif change.op == 'calendar' then
      calendars[#calendars + 1] = change.unless == 'in use' and not change.spec and change.name or nil
    else
      names_limits[change.name] = change.fields and change.fields.limits or ''
    end
    if change.fields or change.op == 'remove' and change.unless ~= 'not over' then
      will_link(change.name, change.fields)
    end
  end
  for job, limits in pairs(names_limits) do
    for limit in names_of(limits) do
      local known = slots[limit]
      if known == nil then known = redis.call('HEXISTS', KEYS[7], limit) == 1 end
      if not known then return { 'no limit', job, limit } end
    end
  end
  for limit, left in pairs(slots) do
    for _, job in ipairs(left and {} or redis.call('SMEMBERS', 'jober:limit:' .. limit .. ':jobs')) do
      if not names_limits[job] then return { 'limit in use', limit, job } end
    end
  end
  for _, calendar in ipairs(calendars) do
    for _, job in ipairs(redis.call('SMEMBERS', 'jober:calendar:' .. calendar .. ':jobs')) do
      if not names_limits[job] then return { 'calendar in use', calendar, job } end
    end
  end
  return wrong_link()
end

-- What a job says of others, as HMGET has told it.
local LINKS = { 'before', 'on_success', 'on_failure', 'noted' }
local function links_before(key)
  local old = redis.call('HMGET', key, unpack(LINKS))
  return old[1] and { before = old[1], on_success = old[2], on_failure = old[3], noted = old[4] }
end

local refused = refusal()
if refused then return refused end
local now = now_ms()
local now_text = string.format('%.0f', now)
local new_queues = {}

-- Which jobs name a calendar, or a limit.
local function link(name, kind, names, command)
  for one in names_of(names) do redis.call(command, kind .. one .. ':jobs', name) end
end

local function write_calendar(calendar)
  if calendar.spec then
    redis.call('HSET', KEYS[5], calendar.name, calendar.spec)
  else
    redis.call('HDEL', KEYS[5], calendar.name)
  end
  redis.call('INCR', KEYS[6])
  for _, name in ipairs(redis.call('SMEMBERS', 'jober:calendar:' .. calendar.name .. ':jobs')) do
    local key = 'jober:job:' .. name
    redis.call('HINCRBY', key, 'revision', 1)
    redis.call('HSET', key, 'floor', now_text)
    if redis.call('HGET', key, 'paused') ~= '1' then redis.call('ZADD', KEYS[2], 0, name) end
  end
end

-- Keep a definition that is no more, for the runs that were made from it: the newest 100 of a job.
local function keep_former(name, revision, spec)
  local key = 'jober:former:' .. name
  redis.call('HSET', key, revision, spec)
  if redis.call('HLEN', key) > 100 then
    local revisions = redis.call('HKEYS', key)
    table.sort(revisions, function(a, b) return tonumber(a) < tonumber(b) end)
    redis.call('HDEL', key, unpack(revisions, 1, #revisions - 100))
  end
end

-- The number of the first revision: where a job of that name was removed, its numbers go on, so that
-- no plan or run of that one is taken for one of this.
local function first_revision(name)
  local last = 0
  for _, revision in ipairs(redis.call('HKEYS', 'jober:former:' .. name)) do
    last = math.max(last, tonumber(revision))
  end
  return last + 1
end

-- A job has the state that it had elsewhere, in the step that writes it: it is never there with
-- another anchor, or not paused. Its fires up to now never fire: the floor stands above them.
local function take_over(name, key, schedule, state, old_cursor)
  local cursor = math.min(now, math.max(state.cursor, tonumber(old_cursor) or 0))
  redis.call('HSET', key, 'floor', now_text, 'cursor', string.format('%.0f', cursor),
    'anchor', state.anchor, 'paused', state.paused, 'fires', state.fires, 'placed', state.placed,
    'created_at', state.created_at, 'updated_at', state.updated_at)
  list_paused(name, state.paused == '1')
  if state.paused == '1' then
    stop_service(name, 'its job was paused', ARGV[4], now, tonumber(ARGV[3]))
  end
  if schedule == '' or state.paused == '1' then
    redis.call('ZREM', KEYS[2], name)
    redis.call('HDEL', key, 'next')
  else
    redis.call('ZADD', KEYS[2], 0, name)
  end
  if #state.missed > 0 then
    redis.call('XADD', 'jober:ledger:' .. name, 'MAXLEN', '~', '1000', '*', unpack(state.missed))
  end
end

local done = {}
for i, change in ipairs(changes) do
  local name = change.name
  local key = 'jober:job:' .. name
  if change.op == 'calendar' then
    write_calendar(change)
    done[i] = 'written'
  elseif change.op == 'limit' then
    if change.slots then
      redis.call('HSET', KEYS[7], name, change.slots)
    else
      redis.call('HDEL', KEYS[7], name)
    end
    done[i] = 'written'
  elseif change.op == 'remove' then
    local old = redis.call('HMGET', key, 'spec', 'revision', 'calendars', 'limits', 'listed')
    if change.unless == 'not over' and old[1] and not is_over(name, KEYS[2], KEYS[4]) then
      done[i] = 'kept'
    elseif redis.call('ZREM', KEYS[1], name) == 0 then
      done[i] = 'absent'
    else
      link(name, 'jober:calendar:', old[3], 'SREM')
      link(name, 'jober:limit:', old[4], 'SREM')
      list_job(name, old[5], nil)
      list_paused(name, false)
      if old[1] then keep_former(name, old[2], old[1]) end
      relink(name, links_before(key), nil)
      redis.call('DEL', key)
      redis.call('ZREM', KEYS[2], name)
      redis.call('SREM', KEYS[4], name)
      redis.call('SREM', KEYS[8], name)
      redis.call('SREM', KEYS[9], name)
      redis.call('DEL', 'jober:failing:' .. name)
      stop_service(name, 'its job was removed', ARGV[4], now, tonumber(ARGV[3]))
      -- Without a definition nothing would keep its limits: what has not started does not start.
      for _, id in ipairs(redis.call('ZREVRANGE', 'jober:runs:' .. name, 0, 2000)) do
        local state = redis.call('HGET', 'rq:job:' .. id, 'state')
        if state == 'waiting' or state == 'queued' or state == 'parked' or state == 'delayed' then
          cancel_run(id, 'its job was removed', ARGV[4], now, tonumber(ARGV[3]))
        end
      end
      redis.call('PEXPIRE', 'jober:runs:' .. name, ARGV[2])
      redis.call('PEXPIRE', 'jober:ledger:' .. name, ARGV[2])
      redis.call('PEXPIRE', 'jober:former:' .. name, ARGV[2])
      tell('job.removed', now, { job = name })
      done[i] = 'removed'
    end
  else
    local old = redis.call('HMGET', key, 'spec', 'schedule', 'revision', 'paused', 'calendars',
      'limits', 'cursor', 'listed')
    local state = change.state
    if old[1] == change.fields.spec and not state then
      -- It is not changed by being signed, nor what is kept of it by being as it was signed.
      if (change.fields.seal or '') ~= '' then
        for field, value in pairs(change.fields) do redis.call('HSET', key, field, value) end
      end
      done[i] = 'same'
    else
      local fields = {}
      for field, value in pairs(change.fields) do
        fields[#fields + 1] = field
        fields[#fields + 1] = value
      end
      relink(name, links_before(key), change.fields)
      link(name, 'jober:calendar:', old[5], 'SREM')
      link(name, 'jober:calendar:', change.fields.calendars, 'SADD')
      link(name, 'jober:limit:', old[6], 'SREM')
      link(name, 'jober:limit:', change.fields.limits, 'SADD')
      list_job(name, old[8], change.fields.listed)
      redis.call('HSET', key, 'name', name, 'updated_at', iso(now), unpack(fields))
      local revision = old[3] and old[3] + 1 or first_revision(name)
      if state then revision = math.max(revision, state.revision) end
      redis.call('HSET', key, 'revision', string.format('%.0f', revision))
      local since = not old[1] and change.since_ms
        and string.format('%.0f', math.min(change.since_ms, now))
      if old[1] then
        done[i] = 'changed'
        keep_former(name, old[3], old[1])
      else
        done[i] = 'added'
        redis.call('ZADD', KEYS[1], 0, name)
        -- An interval counts from the full second, so that its fires are at full seconds too.
        local full_second = string.format('%.0f', now - now % 1000)
        redis.call('HSET', key, 'created_at', iso(now), 'cursor', since or full_second,
          'anchor', change.fields.anchor or since or full_second, 'floor', now_text, 'paused', '0')
        redis.call('PERSIST', 'jober:runs:' .. name)
        redis.call('PERSIST', 'jober:ledger:' .. name)
        redis.call('PERSIST', 'jober:former:' .. name)
      end
      if old[2] ~= change.fields.schedule then
        redis.call('HSET', key, 'floor', now_text, 'anchor',
          change.fields.anchor or redis.call('HGET', key, 'cursor'))
        if change.fields.schedule == '' then
          redis.call('ZREM', KEYS[2], name)
          redis.call('HDEL', key, 'next')
        elseif old[4] ~= '1' then
          redis.call('ZADD', KEYS[2], 0, name)
        end
      end
      if since then redis.call('HSET', key, 'floor', since) end
      redis.call(change.fields.volatile == '1' and 'SADD' or 'SREM', KEYS[9], name)
      if old[1] then redis.call('SADD', KEYS[10], name) end -- it may keep fewer runs now
      if change.fields.service ~= '' then
        redis.call('SADD', KEYS[8], name)
      elseif redis.call('SREM', KEYS[8], name) == 1 then
        stop_service(name, 'its job is no service any more', ARGV[4], now, tonumber(ARGV[3]))
      end
      if state then take_over(name, key, change.fields.schedule, state, old[7]) end
      if redis.call('SADD', 'rq:queues', 'rq:queue:' .. change.fields.queue) == 1 then
        new_queues[#new_queues + 1] = change.fields.queue
      end
      tell('job.' .. done[i], now, { job = name })
    end
  end
end
write_upstream(tonumber(ARGV[3]))
if #new_queues > 0 then tell_of_queues(new_queues) end
redis.call('RPUSH', KEYS[3], '1')
redis.call('LTRIM', KEYS[3], -1, -1)
return { 'ok', done }
