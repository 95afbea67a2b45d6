-- TOKEN REVOKE: a token opens nothing from now on.
-- KEYS  1 jober:tokens  2 jober:token:<token>  built: jober:tokens:<user>
-- ARGV  1 token  2 the user whose it has to be, or ''  3 msgpack list of the audit log
-- Reply 1 revoked, 0 there is none (of that user)
--#include audit
local user = redis.call('HGET', KEYS[2], 'user')
if ARGV[2] ~= '' and user ~= ARGV[2] then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
if user then redis.call('ZREM', 'jober:tokens:' .. user, ARGV[1]) end
if redis.call('DEL', KEYS[2]) == 0 then return 0 end
note_done(cmsgpack.unpack(ARGV[3]))
return 1
