-- JOIN: an agent registers, for us and for RQ's tools; also again, when Redis has forgotten it, or it
-- has other roles by now.
-- KEYS  1 jober:agents  2 jober:agent:<agent>  3 rq:workers  4 rq:worker:<agent>  5 rq:queues  6 jober:wake
--       7 jober:cordoned  8 jober:roles  built: rq:workers:<queue>
-- ARGV  1 agent  2 lease in ms  3 msgpack map of its fields  4 msgpack map of RQ's fields
--       5.. the queues it serves
-- Reply {now in ms, what is ordered of its host: {1 if it is cordoned, its roles as JSON, or ''}}
--#include time
--#include event
--#include orders
local now = now_ms()
local function write(key, fields)
  local flat = {}
  for name, value in pairs(fields) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  redis.call('HSET', key, unpack(flat))
  redis.call('PEXPIRE', key, tonumber(ARGV[2]) * 6)
end
local agent, worker = cmsgpack.unpack(ARGV[3]), cmsgpack.unpack(ARGV[4])
local orders = orders_of(KEYS[7], KEYS[8], agent.host)
agent.state = state_under(orders, agent.state)
local fresh = redis.call('EXISTS', KEYS[2]) == 0
local is_news = fresh or redis.call('HGET', KEYS[2], 'roles') ~= agent.roles
if not fresh then worker.birth = nil end
-- SERVES takes it off the lists of those that it served before.
if redis.call('HEXISTS', KEYS[4], 'queues') == 1 then worker.queues = nil end
write(KEYS[2], agent)
write(KEYS[4], worker)
redis.call('HSET', KEYS[2], 'seen_at', iso(now))
redis.call('HSET', KEYS[4], 'last_heartbeat', iso(now))
if fresh then redis.call('HSET', KEYS[2], 'started_at', iso(now)) end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
redis.call('SADD', KEYS[3], KEYS[4])
for i = 5, #ARGV do
  redis.call('SADD', KEYS[5], 'rq:queue:' .. ARGV[i])
  redis.call('SADD', 'rq:workers:' .. ARGV[i], KEYS[4])
end
if fresh then tell('agent.joined', now, { agent = ARGV[1], host = agent.host }) end
if is_news then
  redis.call('RPUSH', KEYS[6], '1')
  redis.call('LTRIM', KEYS[6], -1, -1)
end
return { now, orders }
