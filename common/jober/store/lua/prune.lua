-- PRUNE: forget the oldest runs of a list that has grown past its bound, ended ones only, and none that
-- another waits for, or that is kept as the newest of a job that others come after.
-- KEYS  1 jober:runs or jober:runs:<job>
--       built: jober:job:<job>, jober:active:<job>, jober:needed (looked at), and those of forget
-- ARGV  1 how many to keep, where the job does not say  2 at most so many removals  3 how many of the oldest to pass over, which
--         were looked at before and stay  4 the job, or ''
-- Reply {how many were removed, how many were looked at and stay}
--#include forget
local keep, job = tonumber(ARGV[1]), ARGV[4]
if job ~= '' then
  keep = (tonumber(redis.call('HGET', 'jober:job:' .. job, 'keep_runs')) or keep)
    + redis.call('SCARD', 'jober:active:' .. job)
end
local over = redis.call('ZCARD', KEYS[1]) - keep
local removed, live = 0, 0
local first = tonumber(ARGV[3])
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], first, first + tonumber(ARGV[2]) - 1)) do
  local run = redis.call('HMGET', 'rq:job:' .. id, 'ended_at', 'origin', 'job')
  if not run[2] then
    redis.call('ZREM', KEYS[1], id) -- its record has expired
    removed = removed + 1
  elseif not run[1] or removed < over and redis.call('HEXISTS', 'jober:needed', id) == 1 then
    live = live + 1
  elseif removed < over then
    forget(id, run[2], run[3])
    removed = removed + 1
  end
end
flush_runs()
return { removed, live }
