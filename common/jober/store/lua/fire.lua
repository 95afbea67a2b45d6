-- FIRE: turn due fires into runs, each exactly once. Only the leader's, only after the cursor.
-- KEYS  1 jober:leader  2 jober:due  3 jober:waiting
--       built: jober:job:<name>, jober:ledger:<name>, and those of write_run and cancel_run
-- ARGV  1 token of the leader  2 msgpack list of plans, in lists, since names cost time here: {name,
--         revision, cursor (the last moment decided on; text, as next and told), next (ms, or ''),
--         told (where it waits for a host: up to this moment its fires were told as missed; else ''),
--         and then its decisions, each {'fired', at (ms), id, host (or ''), id, host, …},
--         {'preferred', at, id, host} (it may go to another host too), {'short', at, reason},
--         {'missed', at, reason, first, count} or {'placed', hosts that it ran on, the latest last}, or first
--         of all {'ordered', id, order of that run, id, order, …}}
--       3 ms that a fire may be ahead of Redis's clock  4 s that a finished run is kept
--       5 traceback of a cancelled run, as RQ reads it
-- Reply {'fenced', token of the leader} or {'ok', list of 'done' | 'stale' | 'paused' | 'early', runs made}
--   stale: the definition is another by now; nothing was done, plan anew.
--#include time
--#include event
--#include queue
--#include park
--#include run
--#include gather
--#include finish
--#include cancel
local leader = redis.call('GET', KEYS[1]) or ''
if leader ~= ARGV[1] then return { 'fenced', leader } end
local now = now_ms()
local early = now + tonumber(ARGV[3])
local made, due = 0, {}

local LIVE = { waiting = true, queued = true, parked = true, delayed = true, reserved = true, running = true }
-- What a stock RQ worker leaves, which knows nothing of our states.
local OVER = { finished = true, failed = true, stopped = true, canceled = true }

-- The runs of the job that are still going, and of them those that wait; what others have deleted
-- or ended does not count. Neither do those that this very call makes: fires that are late together
-- (the leader was away) are not skipped for one another's sake, but run one after the other. The runs
-- of this fire on other hosts do not even wait before it: made_now has the moment of each.
local made_now = {}
local function active_runs(key, at)
  local going, waiting = {}, 0
  for _, id in ipairs(redis.call('SMEMBERS', key)) do
    local run = redis.call('HMGET', 'rq:job:' .. id, 'state', 'status')
    local state = run[1]
    if LIVE[state] and not OVER[run[2]] then
      if not made_now[id] then going[#going + 1] = id end
      if state ~= 'running' and made_now[id] ~= at then waiting = waiting + 1 end
    else
      redis.call('SREM', key, id)
    end
  end
  return going, waiting
end

-- A decision that made no run (what made one is told by the run itself): the facts are names and
-- values in turn.
local function write_ledger(name, decision, at, ...)
  redis.call('XADD', 'jober:ledger:' .. name, 'MAXLEN', '~', '1000', '*', 'decision', decision,
    'fire_at', iso(at), ...)
end

local function tell_missed(name, at, reason, first, count)
  if count > 1 then
    write_ledger(name, 'missed', at, 'reason', reason, 'first_fire_at', iso(first), 'count', count)
  else
    write_ledger(name, 'missed', at, 'reason', reason)
  end
  tell('fire.missed', now, { job = name, fire_at = iso(at), reason = reason, count = count })
  if redis.call('HGET', 'jober:job:' .. name, 'notify') == '1' then
    redis.call('XADD', 'jober:notices', 'MAXLEN', '~', '10000', '*', 'at', ms_text(now), 'job', name,
      'fire_at', iso(at), 'reason', reason, 'count', count or 1)
  end
end

-- Why the fire may not make a run, or nil. Where old runs make room for it, they are told to.
local function overlap(name, job, at, host)
  local rule, host_limit = job[OVERLAP], host and job[HOST_LIMIT] ~= '' and job[HOST_LIMIT]
  if rule == 'allow' or rule == 'queue' then return nil end
  local limit = tonumber(host_limit or job[FLEET_LIMIT])
  if not limit then return nil end
  local going, waiting = active_runs(active_key(name, host_limit and host), at)
  if #going < limit then return nil end
  if rule == 'queue-one' then
    return waiting > 0 and 'overlap: one fire waits already' or nil
  elseif rule == 'cancel-old' then
    for _, id in ipairs(going) do
      cancel_run(id, 'overlap: the fire of ' .. iso(at) .. ' takes its place', ARGV[5], now,
        tonumber(ARGV[4]))
    end
    return nil
  end
  return 'overlap: ' .. limit .. (limit == 1 and ' run is' or ' runs are') .. ' still going'
end

local new_run = { trigger = 'schedule', term = string.match(ARGV[1], '^%d+') }
local function fire(name, job, at, id, host, may_move)
  if not list_run(id, name, now) then return end
  local bound = not may_move and host or nil
  local reason = overlap(name, job, at, bound)
  if reason then
    redis.call('ZREM', 'jober:runs:' .. name, id)
    if bound then
      write_ledger(name, 'skipped', at, 'host', bound, 'reason', reason)
    else
      write_ledger(name, 'skipped', at, 'reason', reason)
    end
    tell('fire.skipped', now, { job = name, fire_at = iso(at), host = bound, reason = reason })
    return
  end
  new_run.host, new_run.fire_at, new_run.may_move = host, at, may_move
  write_run(id, name, job, new_run)
  made = made + 1
  made_now[id] = at
end

local function carry_out(plan)
  local name, new_cursor, next, told_now = plan[1], plan[3], plan[4], plan[5]
  local key = 'jober:job:' .. name
  local job = read_job(key)
  if not job or job[REVISION] ~= plan[2] then return 'stale' end
  if job[PAUSED] == '1' then
    redis.call('ZREM', KEYS[2], name)
    return 'paused'
  end
  if tonumber(new_cursor) > early then return 'early' end
  local cursor, fires, told_before = tonumber(job[CURSOR]), job[FIRES] or '0', job[TOLD] or ''
  local told = math.max(cursor, tonumber(told_before) or 0)
  new_run.until_ms = next ~= '' and next
  local orders = {}
  for i = 6, #plan do
    local decision = plan[i]
    local kind, at = decision[1], decision[2]
    if kind == 'missed' then
      if at > told then tell_missed(name, at, decision[3], decision[4], decision[5]) end
    elseif kind == 'ordered' then
      for run = 2, #decision, 2 do orders[decision[run]] = decision[run + 1] end
    elseif kind == 'placed' then
      redis.call('HSET', key, 'placed', at)
    elseif at > cursor and kind == 'short' then
      write_ledger(name, 'short', at, 'reason', decision[3])
      tell('fire.short', now, { job = name, fire_at = iso(at), reason = decision[3] })
    elseif at > cursor then
      local before = made
      for run = 3, #decision, 2 do
        local host = decision[run + 1]
        new_run.order = orders[decision[run]]
        fire(name, job, at, decision[run], host ~= '' and host or nil, kind == 'preferred')
      end
      if made > before then fires = fires + 1 end
    end
  end
  if tonumber(new_cursor) < cursor then new_cursor = job[CURSOR] end
  redis.call('HSET', key, 'next', next, 'fires', fires, 'cursor', new_cursor)
  if told_now ~= '' then
    redis.call('HSET', key, 'told', told_now)
    redis.call('SADD', KEYS[3], name)
  elseif told_before ~= '' then
    redis.call('HDEL', key, 'told')
    redis.call('SREM', KEYS[3], name)
  end
  if next ~= '' then
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
