-- APPLY: write and remove definitions and calendars, all of them or none.
-- KEYS  1 jober:jobs  2 jober:due  3 jober:wake  4 jober:waiting  5 jober:calendars
--       6 jober:calendars:revision
--       built: jober:job:<name>, rq:queues, and on removal the expiry of jober:runs:<name>,
--       jober:ledger:<name>, jober:former:<name>, jober:calendar:<calendar>:jobs, and those of
--       unpark_all and cancel_run
-- ARGV  1 msgpack list of {op = 'add' | 'put' | 'remove', name, fields = {spec, schedule, queue,
--         data, options, description, timeout, overlap, fleet_limit, host_limit, calendars (names
--         with a space between)}} or {op = 'calendar', name, spec (JSON; false to remove it)}
--       2 ms that the history of a removed job is kept  3 s that a finished run is kept
--       4 traceback of a cancelled run, as RQ reads it
-- Reply {'ok', list of 'added' | 'changed' | 'same' | 'removed' | 'absent' | 'written'} or {'exists', name}
-- A changed schedule counts from now on: what it would have fired before is not caught up. Its
-- intervals count from the last fire, which is the anchor from then on. A changed calendar is a change
-- of every schedule that names it.
--#include time
--#include event
--#include queue
--#include release
--#include finish
--#include cancel
local changes = cmsgpack.unpack(ARGV[1])
for _, change in ipairs(changes) do
  if change.op == 'add' and redis.call('ZSCORE', KEYS[1], change.name) then
    return { 'exists', change.name }
  end
end
local now = now_ms()
local now_text = string.format('%.0f', now)
local new_queue = false

-- Which jobs name a calendar.
local function link(name, calendars, command)
  for calendar in string.gmatch(calendars or '', '%S+') do
    redis.call(command, 'jober:calendar:' .. calendar .. ':jobs', name)
  end
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

local done = {}
for i, change in ipairs(changes) do
  local name = change.name
  local key = 'jober:job:' .. name
  if change.op == 'calendar' then
    write_calendar(change)
    done[i] = 'written'
  elseif change.op == 'remove' then
    local old = redis.call('HMGET', key, 'spec', 'revision', 'calendars')
    if redis.call('ZREM', KEYS[1], name) == 0 then
      done[i] = 'absent'
    else
      link(name, old[3], 'SREM')
      if old[1] then keep_former(name, old[2], old[1]) end
      redis.call('DEL', key)
      redis.call('ZREM', KEYS[2], name)
      redis.call('SREM', KEYS[4], name)
      -- Without a definition nothing would keep its limits: what has not started does not start.
      for _, id in ipairs(redis.call('ZREVRANGE', 'jober:runs:' .. name, 0, 2000)) do
        local state = redis.call('HGET', 'rq:job:' .. id, 'state')
        if state == 'queued' or state == 'parked' or state == 'delayed' then
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
    local old = redis.call('HMGET', key, 'spec', 'schedule', 'revision', 'paused', 'calendars')
    if old[1] == change.fields.spec then
      done[i] = 'same'
    else
      local fields = {}
      for field, value in pairs(change.fields) do
        fields[#fields + 1] = field
        fields[#fields + 1] = value
      end
      link(name, old[5], 'SREM')
      link(name, change.fields.calendars, 'SADD')
      redis.call('HSET', key, 'name', name, 'updated_at', iso(now), unpack(fields))
      local revision = old[3] and old[3] + 1 or first_revision(name)
      redis.call('HSET', key, 'revision', string.format('%.0f', revision))
      if old[1] then
        done[i] = 'changed'
        keep_former(name, old[3], old[1])
        unpark_all(name)
      else
        done[i] = 'added'
        redis.call('ZADD', KEYS[1], 0, name)
        -- An interval counts from the full second, so that its fires are at full seconds too.
        local full_second = string.format('%.0f', now - now % 1000)
        redis.call('HSET', key, 'created_at', iso(now), 'cursor', full_second, 'anchor', full_second,
          'floor', now_text, 'paused', '0')
        redis.call('PERSIST', 'jober:runs:' .. name)
        redis.call('PERSIST', 'jober:ledger:' .. name)
        redis.call('PERSIST', 'jober:former:' .. name)
      end
      if old[2] ~= change.fields.schedule then
        redis.call('HSET', key, 'floor', now_text, 'anchor', redis.call('HGET', key, 'cursor'))
        if change.fields.schedule == '' then
          redis.call('ZREM', KEYS[2], name)
          redis.call('HDEL', key, 'next')
        elseif old[4] ~= '1' then
          redis.call('ZADD', KEYS[2], 0, name)
        end
      end
      if redis.call('SADD', 'rq:queues', 'rq:queue:' .. change.fields.queue) == 1 then
        new_queue = true
      end
      tell('job.' .. done[i], now, { job = name })
    end
  end
end
if new_queue then redis.call('PUBLISH', 'jober:control', '{"command":"queues"}') end
redis.call('RPUSH', KEYS[3], '1')
redis.call('LTRIM', KEYS[3], -1, -1)
return { 'ok', done }
