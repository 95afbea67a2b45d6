-- TAKE: messages that are due are the leader's to deliver, for a lease; then they are due again.
-- KEYS  1 jober:leader  2 jober:deliveries  built: jober:delivery:<id>
-- ARGV  1 token of the leader  2 at most so many  3 ms of the lease
-- Reply 'fenced' or list of {id, fields and values}
-- One that another of its line is before is looked at when that one is due again, or over.
--#include time
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 'fenced' end
local now, at_most, taken = now_ms(), tonumber(ARGV[2]), {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, at_most + 1000)) do
  local key = 'jober:delivery:' .. id
  local told = redis.call('HMGET', key, 'job', 'after')
  local after = told[2] or ''
  local before = 'jober:delivery:' .. after
  if not told[1] then
    redis.call('ZREM', KEYS[2], id)
  elseif redis.call('EXISTS', before) == 1 then
    redis.call('HSET', before, 'next', id)
    redis.call('ZADD', KEYS[2], math.max(now + 1000, redis.call('ZSCORE', KEYS[2], after) or 0), id)
  else
    redis.call('ZADD', KEYS[2], now + ARGV[3], id)
    redis.call('HINCRBY', key, 'attempt', 1)
    redis.call('HSET', key, 'owner', ARGV[1])
    taken[#taken + 1] = { id, redis.call('HGETALL', key) }
    if #taken == at_most then break end
  end
end
return taken
