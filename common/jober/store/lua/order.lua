-- ORDER: what an operator orders of a host. It is kept, whether or not an agent of it is live, and told
-- to those that are.
-- KEYS  1 jober:cordoned  2 jober:roles  3 jober:agents  4 jober:wake
--       built: jober:agent:<agent>  channel: rq:pubsub:<agent>
-- ARGV  1 host  2 'cordon' | 'uncordon' | 'roles'  3 roles, a JSON list, or '' for the agents' own
-- Reply 1 if it changed, 0 if it was so already
--#include time
--#include event
local now = now_ms()
local host, order = ARGV[1], ARGV[2]
local changed
if order == 'cordon' then
  changed = redis.call('HSETNX', KEYS[1], host, iso(now))
elseif order == 'uncordon' then
  changed = redis.call('HDEL', KEYS[1], host)
elseif ARGV[3] == '' then
  changed = redis.call('HDEL', KEYS[2], host)
else
  changed = redis.call('HGET', KEYS[2], host) ~= ARGV[3] and 1 or 0
  redis.call('HSET', KEYS[2], host, ARGV[3])
end
if changed == 0 then return 0 end
for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  local key = 'jober:agent:' .. id
  local agent = redis.call('HMGET', key, 'host', 'state')
  if agent[1] == host then
    -- As it will tell itself with its next sign of life.
    if order == 'cordon' and agent[2] == 'up' then redis.call('HSET', key, 'state', 'cordoned') end
    if order == 'uncordon' and agent[2] == 'cordoned' then redis.call('HSET', key, 'state', 'up') end
    redis.call('PUBLISH', 'rq:pubsub:' .. id, cjson.encode({ command = 'orders' }))
  end
end
redis.call('RPUSH', KEYS[4], '1')
redis.call('LTRIM', KEYS[4], -1, -1)
if order == 'roles' then
  tell('agent.roles', now, { host = host,
    roles = ARGV[3] ~= '' and table.concat(cjson.decode(ARGV[3]), ',') or 'its own' })
else
  tell('agent.' .. order .. 'ed', now, { host = host })
end
return 1
