-- NEEDING: the runs that wait for others and are to be looked at now, with all that deciding needs.
-- KEYS  1 jober:needing  2 jober:due
--       built: rq:job:<id>, jober:job:<job>, and those of newest_runs and last_success
-- ARGV  1 at most so many
-- Reply list of {id, job, revision, waits (JSON), settled (JSON, or ''), last success {id, ended_at} or {},
--   list of {job, 1 if it is there, 1 if it runs on several hosts, 1 if its runs were settled on before,
--   1 if a fire of it, up to that of the run, is still to be decided on, 1 if its fires wait for a host,
--   list of {id, state, host, reason, blocked_by}}}
-- What does not wait any more is passed over, and dropped.
--#include time
--#include needing
--#include newest
local function seen_run(id)
  local run = redis.call('HMGET', 'rq:job:' .. id, 'state', 'host', 'target', 'reason', 'blocked_by')
  return { id, run[1] or '', run[2] or run[3] or '', run[4] or '', run[5] or '' }
end

local function upstream(name, at, settled)
  local job = redis.call('HMGET', 'jober:job:' .. name, 'policy', 'told')
  local several, ids = on_several(job[1]), settled
  if not ids then ids = job[1] and newest_runs(name, several, iso(at)) or {} end
  local runs = {}
  for i, id in ipairs(ids) do runs[i] = seen_run(id) end
  local due = tonumber(redis.call('ZSCORE', KEYS[2], name) or math.huge)
  return { name, job[1] and 1 or 0, several and 1 or 0, settled and 1 or 0, due <= at and 1 or 0,
    (job[2] or '') ~= '' and 1 or 0, runs }
end

local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms(), 'LIMIT', 0, ARGV[1])) do
  local run = redis.call('HMGET', 'rq:job:' .. id, 'state', 'job', 'revision', 'waits', 'needed', 'waits_at',
    'target')
  if run[1] ~= 'waiting' then
    redis.call('ZREM', KEYS[1], id)
  else
    local settled, upstreams = run[5] and cjson.decode(run[5]) or {}, {}
    for _, name in ipairs(awaited(run[4])) do
      upstreams[#upstreams + 1] = upstream(name, tonumber(run[6]), settled[name])
    end
    local several = on_several(redis.call('HGET', 'jober:job:' .. run[2], 'policy'))
    found[#found + 1] = { id, run[2], run[3], run[4], run[5] or '',
      last_success(run[2], several and run[7] or nil), upstreams }
  end
end
return found
