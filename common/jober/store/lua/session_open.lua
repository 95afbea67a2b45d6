-- SESSION OPEN: somebody has logged in. What they tried before counts no more.
-- KEYS  1 jober:session:<hash>  2 jober:sessions:<user>  3 jober:user:<user>
--       4 jober:tries:<hash> of the user  5 jober:tries:<hash> of the address
--       built: jober:session:<hash> of the oldest, and of the one that was open before
-- ARGV  1 hash  2 msgpack map of fields  3 ms without a request  4 ms at all  5 the password hash that the user has
--       to have, or '' where there need be no such user  6 how many sessions a user may have
--       7 hash of the session that this browser had, or ''  8 msgpack list of the audit log
-- Reply {when it was opened, when it ends}, ms as text; none where the password is another by now
--#include time
--#include audit
local now = now_ms()
if ARGV[5] ~= '' and redis.call('HGET', KEYS[3], 'password') ~= ARGV[5] then return {} end
local was = redis.call('HMGET', KEYS[1], 'made_ms', 'expires_ms')
if was[1] then return was end
local expires = now + tonumber(ARGV[4])
local made, ends = ms_text(now), ms_text(expires)
for name, value in pairs(cmsgpack.unpack(ARGV[2])) do redis.call('HSET', KEYS[1], name, value) end
redis.call('HSET', KEYS[1], 'made_ms', made, 'seen_ms', made, 'expires_ms', ends)
redis.call('PEXPIRE', KEYS[1], math.min(tonumber(ARGV[3]), tonumber(ARGV[4])))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
while redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[6]) do
  redis.call('DEL', 'jober:session:' .. redis.call('ZPOPMIN', KEYS[2])[1])
end
redis.call('ZADD', KEYS[2], expires, ARGV[1])
redis.call('PEXPIREAT', KEYS[2], redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2])
if ARGV[7] ~= '' and ARGV[7] ~= ARGV[1] then
  redis.call('DEL', 'jober:session:' .. ARGV[7])
  redis.call('ZREM', KEYS[2], ARGV[7])
end
if ARGV[5] ~= '' then
  redis.call('HSET', KEYS[3], 'logged_in_at', iso(now))
  redis.call('DEL', KEYS[4])
  if redis.call('EXISTS', KEYS[5]) == 1 then redis.call('DECR', KEYS[5]) end
end
note_done(cmsgpack.unpack(ARGV[8]))
return { made, ends }
