-- SERVES: an agent serves other queues than before; for RQ's tools, which list workers by queue.
-- KEYS  1 rq:worker:<agent>  2 rq:queues
--       built: rq:workers:<queue>
-- ARGV  1.. the queues it serves
-- Reply 1, or 0 where the agent is not registered
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'queues', table.concat(ARGV, ','))
for _, key in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  redis.call('SREM', 'rq:workers:' .. string.sub(key, 10), KEYS[1])
end
for _, queue in ipairs(ARGV) do redis.call('SADD', 'rq:workers:' .. queue, KEYS[1]) end
return 1
