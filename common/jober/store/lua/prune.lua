-- PRUNE: forget the oldest runs of a list that has grown past its bound, ended ones only, and none that
-- another waits for, or that is kept as the newest of a job that others come after.
-- KEYS  1 jober:runs or jober:runs:<job>
--       built: rq:job:<id>, rq:results:<id>, jober:out:<id>:log, jober:attempts:<id>, rq:finished:<queue>,
--       rq:failed:<queue>, rq:canceled:<queue>, jober:runs, jober:runs:<job>, jober:job:<job>,
--       jober:active:<job>, jober:needed (looked at)
-- ARGV  1 how many to keep, where the job does not say  2 at most so many removals  3 how many of the oldest to pass over, which
--         were looked at before and stay  4 the job, or ''
-- Reply {how many were removed, how many were looked at and stay}
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
    redis.call('DEL', 'rq:job:' .. id, 'rq:results:' .. id, 'jober:out:' .. id .. ':log',
      'jober:attempts:' .. id)
    redis.call('ZREM', 'rq:finished:' .. run[2], id)
    redis.call('ZREM', 'rq:failed:' .. run[2], id)
    redis.call('ZREM', 'rq:canceled:' .. run[2], id)
    redis.call('ZREM', 'jober:runs', id)
    if run[3] then redis.call('ZREM', 'jober:runs:' .. run[3], id) end
    removed = removed + 1
  end
end
return { removed, live }
