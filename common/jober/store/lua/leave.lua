-- LEAVE: an agent is gone, in order or for good. What it still held is left to RECLAIM.
-- KEYS  1 jober:agents  2 jober:agent:<agent>  3 rq:workers  4 rq:worker:<agent>
--       built: rq:workers:<queue>, rq:queues, rq:queue:@<host>
-- ARGV  1 agent  2 'left', or 'lost' if only where its time is really over  3 run_id of the server that this is
--         for, or '' for any: an agent may not have renewed itself with another one yet
-- Reply 1 if it was there, else 0
--#include time
--#include event
local now = now_ms()
if not string.find(redis.call('INFO', 'server'), ARGV[3], 1, true) then return 0 end
local expires = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not expires or (ARGV[2] == 'lost' and tonumber(expires) > now) then return 0 end
local host = redis.call('HGET', KEYS[2], 'host')
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2], KEYS[4])
redis.call('SREM', KEYS[3], KEYS[4])
for _, queue in ipairs(redis.call('SMEMBERS', 'rq:queues')) do
  redis.call('SREM', 'rq:workers:' .. string.sub(queue, 10), KEYS[4])
end
-- Nothing waits for the host, and no other agent of it is there: its queues need not be listed. Where
-- one is, it could not be found among their workers when it leaves.
for _, queue in ipairs(redis.call('SMEMBERS', 'rq:queues')) do
  local own = host and string.gsub(string.sub(queue, 10), '%^%d$', '') == '@' .. host
  local workers = 'rq:workers:' .. string.sub(queue, 10)
  if own and redis.call('EXISTS', queue, workers) == 0 then redis.call('SREM', 'rq:queues', queue) end
end
tell('agent.' .. ARGV[2], now, { agent = ARGV[1], host = host })
return 1
