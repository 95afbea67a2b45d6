-- TOKEN READ: a token and its user, as they are now; when it was used last is told once a minute.
-- KEYS  1 jober:token:<token>  built: jober:user:<user>
-- ARGV  1 hash of the secret
-- Reply {fields of the token, fields of the user}, each names and values in turn; none where there is no such
--       token, or its hash is another, or its user is gone
--#include time
local was = redis.call('HMGET', KEYS[1], 'hash', 'user', 'used_ms')
if not was[1] or was[1] ~= ARGV[1] then return {} end
local user = {}
if was[2] then
  user = redis.call('HGETALL', 'jober:user:' .. was[2])
  if #user == 0 then return {} end
end
local now = now_ms()
if now - tonumber(was[3] or 0) >= 60000 then redis.call('HSET', KEYS[1], 'used_ms', ms_text(now)) end
return { redis.call('HGETALL', KEYS[1]), user }
