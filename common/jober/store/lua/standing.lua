-- STANDING: how jobs stand, for what has to run before another.
-- KEYS  built: jober:job:<job>, and those of newest_runs and last_success
-- ARGV  the names of jobs
-- Reply of each {when its newest success ended (ISO text, or ''), 1 if its newest run is on its way, 1 if
--   that has ended, and not well, waits (JSON, or '')}
--#include newest
local GOOD = { success = true, skipped = true }
local LIVE = { waiting = true, queued = true, parked = true, delayed = true, reserved = true, running = true }
local found = {}
for i, name in ipairs(ARGV) do
  local job = redis.call('HMGET', 'jober:job:' .. name, 'policy', 'waits')
  local going, failed = 0, 0
  for _, id in ipairs(newest_runs(name, on_several(job[1]))) do
    local run = redis.call('HMGET', 'rq:job:' .. id, 'state', 'blocked_by')
    if LIVE[run[1]] then
      going = 1
    elseif not GOOD[run[1]] or run[2] then
      failed = 1
    end
  end
  found[i] = { last_success(name)[2] or '', going, failed, job[2] or '' }
end
return found
