-- TOKEN PUT: a token is made; it goes by itself when its time is over.
-- KEYS  1 jober:tokens  2 jober:token:<token>  built: jober:user:<user>, jober:tokens:<user>
-- ARGV  1 token  2 msgpack map of fields  3 ms that it lives  4 its user, or ''  5 how many there may be
--       6 msgpack list of the audit log
-- Reply {when it was made, when it expires}, ms as text; -1 there is no such user, -2 too many
--#include time
--#include audit
local fields, now = cmsgpack.unpack(ARGV[2]), now_ms()
local was = redis.call('HMGET', KEYS[2], 'hash', 'made_ms', 'expires_ms')
if was[1] and was[1] == fields.hash then return { was[2], was[3] } end
if ARGV[4] ~= '' and redis.call('EXISTS', 'jober:user:' .. ARGV[4]) == 0 then return -1 end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[5]) then return -2 end
local expires = now + tonumber(ARGV[3])
for name, value in pairs(fields) do redis.call('HSET', KEYS[2], name, value) end
redis.call('HSET', KEYS[2], 'made_ms', ms_text(now), 'expires_ms', ms_text(expires))
redis.call('PEXPIREAT', KEYS[2], ms_text(expires))
redis.call('ZADD', KEYS[1], expires, ARGV[1])
if ARGV[4] ~= '' then
  local own = 'jober:tokens:' .. ARGV[4]
  redis.call('ZREMRANGEBYSCORE', own, '-inf', now)
  redis.call('ZADD', own, expires, ARGV[1])
  redis.call('PEXPIREAT', own, redis.call('ZRANGE', own, -1, -1, 'WITHSCORES')[2])
end
note_done(cmsgpack.unpack(ARGV[6]))
return { ms_text(now), ms_text(expires) }
