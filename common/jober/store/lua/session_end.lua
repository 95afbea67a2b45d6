-- SESSION END: somebody has logged out, of one session or of all.
-- KEYS  1 jober:sessions:<user>  built: those of end_sessions
-- ARGV  1 user  2 hash of the session, or '' for all  3 msgpack list of the audit log
-- Reply how many have ended
--#include audit
--#include sessions
local ended
if ARGV[2] == '' then
  ended = end_sessions(ARGV[1], '')
else
  ended = redis.call('DEL', 'jober:session:' .. ARGV[2])
  redis.call('ZREM', KEYS[1], ARGV[2])
end
if ended > 0 then note_done(cmsgpack.unpack(ARGV[3])) end
return ended
