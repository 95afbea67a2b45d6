-- SERVES: an agent serves other queues than before; for RQ's tools, which list workers by queue.
-- KEYS  1 rq:worker:<agent>
--       built: rq:workers:<queue>
-- ARGV  1.. the queues it serves
-- Reply 1, or 0 where the agent is not registered
-- Those before are of its own record: to look through all queues, each of a thousand agents would look
-- at a thousand hosts'.
local before = redis.call('HGET', KEYS[1], 'queues')
if not before then return 0 end
for queue in string.gmatch(before, '[^,]+') do
  redis.call('SREM', 'rq:workers:' .. queue, KEYS[1])
end
redis.call('HSET', KEYS[1], 'queues', table.concat(ARGV, ','))
for _, queue in ipairs(ARGV) do redis.call('SADD', 'rq:workers:' .. queue, KEYS[1]) end
return 1
