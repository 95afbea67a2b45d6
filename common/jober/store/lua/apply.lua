-- APPLY: write and remove definitions, all of them or none.
-- KEYS  1 jober:jobs  2 jober:due  3 jober:wake  4 jober:waiting
--       built: jober:job:<name>, rq:queues, and on removal the expiry of jober:runs:<name>,
--       jober:ledger:<name>, and those of unpark_all
-- ARGV  1 msgpack list of {op = 'add' | 'put' | 'remove', name, fields = {spec, schedule, queue,
--         data, options, description, timeout, overlap, fleet_limit, host_limit}}
--       2 ms that the history of a removed job is kept
-- Reply {'ok', list of 'added' | 'changed' | 'same' | 'removed' | 'absent'} or {'exists', name}
-- A changed schedule counts from now on: what it would have fired before is not caught up. Its
-- intervals count from the last fire, which is the anchor from then on.
--#include time
--#include event
--#include queue
--#include release
local changes = cmsgpack.unpack(ARGV[1])
for _, change in ipairs(changes) do
  if change.op == 'add' and redis.call('ZSCORE', KEYS[1], change.name) then
    return { 'exists', change.name }
  end
end
local now = now_ms()
local now_text = string.format('%.0f', now)
local new_queue = false
local done = {}
for i, change in ipairs(changes) do
  local name = change.name
  local key = 'jober:job:' .. name
  if change.op == 'remove' then
    if redis.call('ZREM', KEYS[1], name) == 0 then
      done[i] = 'absent'
    else
      redis.call('DEL', key)
      redis.call('ZREM', KEYS[2], name)
      redis.call('SREM', KEYS[4], name)
      unpark_all(name)
      redis.call('PEXPIRE', 'jober:runs:' .. name, ARGV[2])
      redis.call('PEXPIRE', 'jober:ledger:' .. name, ARGV[2])
      tell('job.removed', now, { job = name })
      done[i] = 'removed'
    end
  else
    local old = redis.call('HMGET', key, 'spec', 'schedule', 'revision', 'paused')
    if old[1] == change.fields.spec then
      done[i] = 'same'
    else
      local fields = {}
      for field, value in pairs(change.fields) do
        fields[#fields + 1] = field
        fields[#fields + 1] = value
      end
      redis.call('HSET', key, 'name', name, 'updated_at', iso(now), unpack(fields))
      redis.call('HSET', key, 'revision', string.format('%.0f', tonumber(old[3] or '0') + 1))
      if old[1] then
        done[i] = 'changed'
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
