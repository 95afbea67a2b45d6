-- JOIN: an agent registers, for us and for RQ's tools; also again, when Redis has forgotten it.
-- KEYS  1 jober:agents  2 jober:agent:<agent>  3 rq:workers  4 rq:worker:<agent>  5 rq:queues  6 jober:wake
--       built: rq:workers:<queue>
-- ARGV  1 agent  2 lease in ms  3 msgpack map of its fields  4 msgpack map of RQ's fields
--       5.. the queues it serves
-- Reply now in ms
--#include time
--#include event
local now = now_ms()
local function write(key, fields)
  local flat = {}
  for name, value in pairs(cmsgpack.unpack(fields)) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  redis.call('HSET', key, unpack(flat))
  redis.call('PEXPIRE', key, tonumber(ARGV[2]) * 6)
end
local fresh = redis.call('EXISTS', KEYS[2]) == 0
write(KEYS[2], ARGV[3])
write(KEYS[4], ARGV[4])
redis.call('HSET', KEYS[2], 'seen_at', iso(now))
redis.call('HSET', KEYS[4], 'last_heartbeat', iso(now))
if fresh then redis.call('HSET', KEYS[2], 'started_at', iso(now)) end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
redis.call('SADD', KEYS[3], KEYS[4])
for i = 5, #ARGV do
  redis.call('SADD', KEYS[5], 'rq:queue:' .. ARGV[i])
  redis.call('SADD', 'rq:workers:' .. ARGV[i], KEYS[4])
end
if fresh then
  tell('agent.joined', now, { agent = ARGV[1], host = cmsgpack.unpack(ARGV[3]).host })
  redis.call('RPUSH', KEYS[6], '1')
  redis.call('LTRIM', KEYS[6], -1, -1)
end
return now
