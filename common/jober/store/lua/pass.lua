-- PASS: an agent that was rung for, and is busy, passes the ring on: agents with less to do go first.
-- KEYS  1.. rq:queue:<queue>
--       built: rq:workers:<queue>, jober:bell:<queue>
-- ARGV  1.. the names of the queues
-- Reply 1 where something waits that other agents serve too, else 0
--#include queue
for i, queue in ipairs(ARGV) do
  if redis.call('EXISTS', KEYS[i]) == 1 and redis.call('SCARD', 'rq:workers:' .. queue) > 1 then
    ring(queue)
    return 1
  end
end
return 0
