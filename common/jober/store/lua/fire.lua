-- FIRE: turn due fires into runs, each exactly once. Only the leader's, only after the cursor.
-- KEYS  1 jober:leader  2 jober:due  3 jober:waiting
--       built: jober:job:<name>, jober:ledger:<name>, and those of write_run and cancel_run
-- ARGV  1 token of the leader  2 msgpack list of {name, revision, cursor (the last moment decided
--         on), next (ms, or false), told (where it waits for a host: up to this moment its fires were
--         told as missed; else false), decisions = list of {at, decision = 'fired' | 'missed',
--         runs = list of {id, host (false for any)}, or reason, first, count}}
--       3 ms that a fire may be ahead of Redis's clock  4 s that a finished run is kept
--       5 traceback of a cancelled run, as RQ reads it
-- Reply {'fenced', token of the leader} or {'ok', list of 'done' | 'stale' | 'paused' | 'early', runs made}
--   stale: the definition is another by now; nothing was done, plan anew.
--#include time
--#include event
--#include queue
--#include run
--#include finish
--#include cancel
local leader = redis.call('GET', KEYS[1]) or ''
if leader ~= ARGV[1] then return { 'fenced', leader } end
local now = now_ms()
local made, due = 0, {}

-- What a stock RQ worker leaves, which knows nothing of our states.
local OVER = { finished = true, failed = true, stopped = true, canceled = true }

-- The runs of the job that are still going, and of them those that wait; what others have deleted
-- or ended does not count. Neither do those that this very call makes: fires that are late together
-- (the leader was away) are not skipped for one another's sake, but run one after the other.
local made_now = {}
local function active_runs(name, host)
  local key = active_key(name, host)
  local going, waiting = {}, 0
  for _, id in ipairs(redis.call('SMEMBERS', key)) do
    local run = redis.call('HMGET', 'rq:job:' .. id, 'state', 'status')
    local state = run[1]
    if (state == 'queued' or state == 'parked' or state == 'running') and not OVER[run[2]] then
      if not made_now[id] then going[#going + 1] = id end
      if state ~= 'running' then waiting = waiting + 1 end
    else
      redis.call('SREM', key, id)
    end
  end
  return going, waiting
end

local function write_ledger(name, decision, at, run, host, reason, first, count)
  local entry = { 'decision', decision, 'fire_at', iso(at) }
  local function field(key, value)
    if value and value ~= '' then
      entry[#entry + 1] = key
      entry[#entry + 1] = value
    end
  end
  field('run', run)
  field('host', host)
  field('reason', reason)
  if count and count > 1 then
    field('first_fire_at', iso(first))
    field('count', count)
  end
  redis.call('XADD', 'jober:ledger:' .. name, 'MAXLEN', '~', 1000, '*', unpack(entry))
end

-- Why the fire may not make a run, or nil. Where old runs make room for it, they are told to.
local function overlap(name, job, decision, host)
  if job.overlap == 'allow' or job.overlap == 'queue' then return nil end
  local limit = tonumber(host and job.host_limit ~= '' and job.host_limit or job.fleet_limit)
  if not limit then return nil end
  local going, waiting = active_runs(name, host)
  if #going < limit then return nil end
  if job.overlap == 'queue-one' then
    return waiting > 0 and 'overlap: one fire waits already' or nil
  elseif job.overlap == 'cancel-old' then
    for _, id in ipairs(going) do
      cancel_run(id, 'overlap: the fire of ' .. iso(decision.at) .. ' takes its place', ARGV[5],
        now, tonumber(ARGV[4]))
    end
    return nil
  end
  return 'overlap: ' .. limit .. (limit == 1 and ' run is' or ' runs are') .. ' still going'
end

local function fire(name, job, decision, id, host)
  if redis.call('EXISTS', 'rq:job:' .. id) == 1 then return end
  local reason = overlap(name, job, decision, host)
  if reason then
    write_ledger(name, 'skipped', decision.at, nil, host, reason)
    tell('fire.skipped', now, { job = name, fire_at = iso(decision.at), host = host, reason = reason })
    return
  end
  write_run(id, name, job, { host = host, trigger = 'schedule', fire_at = decision.at }, now)
  write_ledger(name, 'fired', decision.at, id, host)
  made = made + 1
  made_now[id] = true
end

local function carry_out(plan)
  local name = plan.name
  local job = read_job(name)
  if not job or job.revision ~= plan.revision then return 'stale' end
  if job.paused == '1' then
    redis.call('ZREM', KEYS[2], name)
    return 'paused'
  end
  if plan.cursor > now + tonumber(ARGV[3]) then return 'early' end
  local cursor, fires = tonumber(job.cursor), tonumber(job.fires) or 0
  local told = math.max(cursor, tonumber(job.told) or 0)
  for _, decision in ipairs(plan.decisions) do
    if decision.decision == 'missed' then
      if decision.at > told then
        write_ledger(name, 'missed', decision.at, nil, nil, decision.reason, decision.first, decision.count)
        tell('fire.missed', now, { job = name, fire_at = iso(decision.at), reason = decision.reason,
          count = decision.count })
      end
    elseif decision.at > cursor then
      local before = made
      for _, run in ipairs(decision.runs) do fire(name, job, decision, run.id, run.host or nil) end
      if made > before then fires = fires + 1 end
    end
  end
  local next = plan.next and string.format('%.0f', plan.next) or ''
  redis.call('HSET', 'jober:job:' .. name, 'next', next, 'fires', fires,
    'cursor', string.format('%.0f', math.max(cursor, plan.cursor)))
  if plan.told then
    redis.call('HSET', 'jober:job:' .. name, 'told', string.format('%.0f', plan.told))
    redis.call('SADD', KEYS[3], name)
  elseif job.told ~= '' then
    redis.call('HDEL', 'jober:job:' .. name, 'told')
    redis.call('SREM', KEYS[3], name)
  end
  if plan.next then
    due[#due + 1] = next
    due[#due + 1] = name
  else
    redis.call('ZREM', KEYS[2], name)
  end
  return 'done'
end

local results = {}
for i, plan in ipairs(cmsgpack.unpack(ARGV[2])) do results[i] = carry_out(plan) end
flush_runs()
for start = 1, #due, 1000 do
  redis.call('ZADD', KEYS[2], unpack(due, start, math.min(start + 999, #due)))
end
return { 'ok', results, made }
