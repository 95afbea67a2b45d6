-- Jobs that others come after: what the ends of their runs leave behind.
-- KEYS built: jober:ended, jober:kept:<job>, jober:runs:<job> (looked at), and those of
--   hold, let_go and wake_needing
--#include needing

-- Keep the run in a place of its job, in place of an older one.
local function keep_newest(job, place, id, ttl)
  local kept, runs = 'jober:kept:' .. job, 'jober:runs:' .. job
  local old = redis.call('HGET', kept, place)
  if old == id then return end
  if old then
    local made, before = redis.call('ZSCORE', runs, id), redis.call('ZSCORE', runs, old)
    if tonumber(before or 0) > tonumber(made or 0) then return end
  end
  redis.call('HSET', kept, place, id)
  hold(id)
  if old then let_go(old, ttl) end
end

-- Keep a run that has ended as long as it is the newest of its job, or the newest success.
local function keep_end(id, job, target, state, ttl)
  local host = (target or '') ~= '' and '@' .. target or ''
  keep_newest(job, 'end' .. host, id, ttl)
  if state == 'success' then keep_newest(job, 'success' .. host, id, ttl) end
end

-- A run of such a job has ended: what comes after it is looked at.
local function note_end(id, run, state, now, ttl)
  redis.call('ZADD', 'jober:ended', string.format('%.0f', now), id)
  keep_end(id, run.job, run.target, state, ttl)
  wake_needing()
end

-- A job that nothing comes after any more.
local function forget_kept(job, ttl)
  for _, id in ipairs(redis.call('HVALS', 'jober:kept:' .. job)) do let_go(id, ttl) end
  redis.call('DEL', 'jober:kept:' .. job)
end
