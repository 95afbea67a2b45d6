-- USER REMOVE: a user goes, with all sessions and tokens.
-- KEYS  1 jober:users  2 jober:user:<user>  3 jober:tokens:<user>  4 jober:tokens
--       built: jober:token:<token>, those of end_sessions
-- ARGV  1 user  2 msgpack list of the audit log
-- Reply 1 removed, 0 there is none
--#include audit
--#include sessions
end_sessions(ARGV[1], '')
for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  redis.call('DEL', 'jober:token:' .. id)
  redis.call('ZREM', KEYS[4], id)
end
redis.call('DEL', KEYS[3])
redis.call('ZREM', KEYS[1], ARGV[1])
if redis.call('DEL', KEYS[2]) == 0 then return 0 end
note_done(cmsgpack.unpack(ARGV[2]))
return 1
