-- LAPSE: forget the runs that their jobs clean up after, and that were kept for long enough.
-- KEYS  1 jober:cleaning  built: rq:job:<id>, jober:needed (looked at), and those of forget
-- ARGV  1 at most so many
-- Reply how many were looked at
-- What goes on again, or is needed by others, is left until it has ended, or is needed no more.
--#include forget
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms(), 'LIMIT', 0, ARGV[1])
for _, id in ipairs(found) do
  local run = redis.call('HMGET', 'rq:job:' .. id, 'ended_at', 'origin', 'job')
  if not run[2] then
    redis.call('ZREM', KEYS[1], id) -- others have deleted it
  elseif not run[1] or redis.call('HEXISTS', 'jober:needed', id) == 1 then
    redis.call('ZADD', KEYS[1], '+inf', id)
  else
    forget(id, run[2], run[3])
  end
end
flush_runs()
return #found
