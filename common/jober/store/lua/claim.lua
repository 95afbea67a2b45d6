-- CLAIM: take up to n queued runs from the queues, each with a lease and its job's slots; those
-- whose job has no slot free are parked, so that they stand in nobody's way.
-- KEYS  1 jober:leases  2 jober:agent:<agent>:runs  3 rq:suspended  4.. rq:queue:<queue>
--       built: rq:job:<id>, jober:slots:<job>[@<host>], jober:parked:<job>[@<host>],
--       rq:wip:<queue>, jober:job:<name>, jober:active:<job>[@<host>], and those of miss and
--       better_elsewhere
-- ARGV  1 agent  2 host  3 lease in ms  4 n  5 s that a finished run is kept
--       6.. the names of the queues
-- Reply list of {id, attempt, job, queue, data, options, trigger, fire_at, timeout, term}
--#include time
--#include event
--#include queue
--#include release
--#include finish
--#include expire
--#include avoid
if redis.call('EXISTS', KEYS[3]) == 1 then return {} end
local agent, host, wanted = ARGV[1], ARGV[2], tonumber(ARGV[4])
local now = now_ms()
local at = iso(now)
local claimed, left = {}, {}
local limits = {}

local function limits_of(name)
  if not limits[name] then
    local values = redis.call('HMGET', 'jober:job:' .. name, 'fleet_limit', 'host_limit')
    limits[name] = { tonumber(values[1] or ''), tonumber(values[2] or '') }
  end
  return limits[name]
end

-- Where a run of the job would have to wait, or nil where its slots are free.
local function full(name)
  local fleet, on_host = unpack(limits_of(name), 1, 2)
  if fleet and redis.call('ZCARD', 'jober:slots:' .. name) >= fleet then
    return 'jober:parked:' .. name
  end
  if on_host and redis.call('ZCARD', 'jober:slots:' .. name .. '@' .. host) >= on_host then
    return 'jober:parked:' .. name .. '@' .. host
  end
end

local function take(id, queue)
  local record = 'rq:job:' .. id
  local fields = redis.call('HMGET', record, 'status', 'job', 'data', 'options', 'trigger',
    'fire_at', 'timeout', 'attempt', 'target', 'expires_at', 'avoid', 'term')
  if fields[1] ~= 'queued' then return end -- cancelled, deleted, or taken already
  local job = fields[2] or ''
  local attempt = tonumber(fields[8] or '0') + 1
  if fields[10] and attempt == 1 and now >= tonumber(fields[10]) then
    miss(id, { job = job, target = fields[9] or '', queue = queue }, fields[10], now, tonumber(ARGV[5]))
    return
  end
  if fields[11] and better_elsewhere(fields[11], queue, host, now) then
    left[#left + 1] = id
    return
  end
  if job ~= '' then
    local parked = full(job)
    if parked then
      redis.call('HSET', record, 'state', 'parked', 'status', 'deferred')
      redis.call('ZADD', parked, 'NX', now, id)
      tell('run.parked', now, { run = id, job = job })
      return
    end
  end
  local lease = id .. ':' .. attempt
  redis.call('HSET', record, 'state', 'running', 'status', 'started', 'started_at', at,
    'attempt', attempt, 'agent', agent, 'host', host, 'worker_name', agent)
  if fields[10] and attempt == 1 then redis.call('ZREM', 'jober:expiring', id) end
  if not fields[2] then
    -- An application's own RQ job: it has no definition, but is listed with all others.
    redis.call('HSET', record, 'trigger', 'rq')
    redis.call('ZADD', 'jober:runs', 'NX', now, id)
  end
  if attempt > 1 then
    -- It ended before, or was never started: what that left is not this attempt's.
    redis.call('HDEL', record, 'ended_at', 'exit_code', 'reason', 'return_value', 'traceback',
      'cpu_s', 'peak_memory_bytes', 'progress', 'retry_at', 'avoid')
    redis.call('PERSIST', record)
  end
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), lease_member(lease, job, host, agent, queue))
  redis.call('ZADD', KEYS[2], now, lease)
  redis.call('ZADD', 'rq:wip:' .. queue, '+inf', lease)
  if job ~= '' then
    if attempt > 1 then redis.call('SADD', active_key(job, fields[9]), id) end
    local fleet, on_host = unpack(limits_of(job), 1, 2)
    if fleet then redis.call('ZADD', 'jober:slots:' .. job, now, lease) end
    if on_host then redis.call('ZADD', 'jober:slots:' .. job .. '@' .. host, now, lease) end
  end
  tell('run.started', now, { run = id, job = job, host = host, agent = agent, attempt = attempt })
  claimed[#claimed + 1] = { id, attempt, job, queue, fields[3] or '', fields[4] or '{}',
    fields[5] or 'rq', fields[6] or '', fields[7] or '', fields[12] or '' }
end

for i = 6, #ARGV do
  local key = KEYS[i - 2]
  local looked = 0
  -- What is parked or dropped costs a look too, so the looks are bounded.
  while #claimed < wanted and looked < 500 do
    local id = redis.call('LPOP', key)
    if not id then break end
    looked = looked + 1
    take(id, ARGV[i])
  end
  -- What is left to others goes behind the rest, and does not wake us again: they look once a second.
  local rest = redis.call('LLEN', key)
  for _, id in ipairs(left) do redis.call('RPUSH', key, id) end
  left = {}
  if rest > 0 then ring(ARGV[i]) end
end
return claimed
