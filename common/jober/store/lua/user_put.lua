-- USER PUT: a user is added, or changed; what changes of the rights holds from the next request on.
-- KEYS  1 jober:users  2 jober:user:<user>  built: those of end_sessions
-- ARGV  1 user  2 'add' | 'change'  3 msgpack map of fields  4 '1' to end the sessions  5 hash of the session that
--       stays, or ''  6 the password hash that the user has to have, or ''  7 how many users there may be
--       8 msgpack list of the audit log
-- Reply 1 written, 0 it was so, -1 there is such a user, -2 there is none, or its password is another, -3 too many
-- Added twice with the same hash (whose salt is chance), it is one call that was sent twice.
--#include time
--#include audit
--#include sessions
local fields, now = cmsgpack.unpack(ARGV[3]), now_ms()
local password = redis.call('HGET', KEYS[2], 'password')
if ARGV[2] == 'add' then
  if password and password == fields.password then return 1 end
  if password then return -1 end
  if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[7]) then return -3 end
  redis.call('HSET', KEYS[2], 'name', ARGV[1], 'created_at', iso(now))
  redis.call('ZADD', KEYS[1], 0, ARGV[1])
elseif not password then
  return -2
elseif ARGV[6] ~= '' and ARGV[6] ~= password then
  return password == fields.password and 0 or -2
end
local changed = ARGV[2] == 'add'
for name, value in pairs(fields) do
  if redis.call('HGET', KEYS[2], name) ~= value then
    redis.call('HSET', KEYS[2], name, value)
    changed = true
  end
end
if ARGV[4] == '1' then end_sessions(ARGV[1], ARGV[5]) end
if not changed then return 0 end
redis.call('HSET', KEYS[2], 'changed_at', iso(now))
local told = cmsgpack.unpack(ARGV[8])
if #told > 0 then note_done(told) end
return 1
