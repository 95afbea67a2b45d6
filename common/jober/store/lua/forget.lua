-- FORGET: runs that are kept elsewhere by now. Only where they still are as they were read, and no other
-- run waits for them or is to come after them.
-- KEYS  built: jober:needed (looked at), and those of forget
-- ARGV  id, state and ended_at (ISO text) of each
-- Reply how many were removed
--#include forget
local removed = 0
for i = 1, #ARGV, 3 do
  local run = redis.call('HMGET', 'rq:job:' .. ARGV[i], 'state', 'ended_at', 'origin', 'job')
  if run[1] == ARGV[i + 1] and run[2] == ARGV[i + 2]
    and redis.call('HEXISTS', 'jober:needed', ARGV[i]) == 0 then
    forget(ARGV[i], run[3], run[4])
    removed = removed + 1
  end
end
flush_runs()
return removed
