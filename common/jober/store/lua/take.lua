-- TAKE: messages that are due are the leader's to deliver, for a lease; then they are due again.
-- KEYS  1 jober:leader  2 jober:deliveries  built: jober:delivery:<id>
-- ARGV  1 token of the leader  2 at most so many  3 ms of the lease
-- Reply 'fenced' or list of {id, fields and values}
--#include time
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 'fenced' end
local now, taken = now_ms(), {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[2])) do
  local key = 'jober:delivery:' .. id
  if redis.call('EXISTS', key) == 0 then
    redis.call('ZREM', KEYS[2], id)
  else
    redis.call('ZADD', KEYS[2], now + ARGV[3], id)
    redis.call('HINCRBY', key, 'attempt', 1)
    redis.call('HSET', key, 'owner', ARGV[1])
    taken[#taken + 1] = { id, redis.call('HGETALL', key) }
  end
end
return taken
