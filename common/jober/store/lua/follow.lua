-- FOLLOW: what comes after runs that have ended: the jobs that they start get their runs, and the runs that
-- waited for them are looked at anew. Each end is followed once, whoever does it and however often it is sent.
-- KEYS  1 jober:ended  2 jober:needing
--       built: rq:job:<id>, jober:needing:<job>, jober:ledger:<name>, and those of enqueue_runs
-- ARGV  1 msgpack list of {id, job, state (as ENDED told it), list of {name of a job to start, its runs as
--         ENQUEUE takes them, placed, why}}
-- Reply how many runs were made
-- An end that is another by now is left for the next look; a paused job is not started, and its ledger
-- says so.
--#include time
--#include event
--#include queue
--#include run
local now, made = now_ms(), 0

local function start(name, runs, placed, why)
  local job = read_job('jober:job:' .. name)
  if not job then return end
  if job[PAUSED] == '1' then
    redis.call('XADD', 'jober:ledger:' .. name, 'MAXLEN', '~', '1000', '*', 'decision', 'skipped', 'fire_at',
      iso(now), 'reason', 'paused: it is not run ' .. why)
    return
  end
  for _, run in ipairs(runs) do run.trigger = 'workflow' end
  enqueue_runs(name, job, runs, placed, now)
  made = made + #runs
end

for _, ended in ipairs(cmsgpack.unpack(ARGV[1])) do
  local id, job, state, starts = unpack(ended)
  if (redis.call('HGET', 'rq:job:' .. id, 'state') or '') == state and redis.call('ZREM', KEYS[1], id) == 1 then
    for _, one in ipairs(starts) do start(unpack(one)) end
    local waiting = 'jober:needing:' .. job
    for _, waits in ipairs(redis.call('SMEMBERS', waiting)) do
      if redis.call('ZSCORE', KEYS[2], waits) then
        redis.call('ZADD', KEYS[2], 0, waits)
      else
        redis.call('SREM', waiting, waits)
      end
    end
  end
end
flush_runs()
return made
