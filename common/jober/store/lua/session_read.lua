-- SESSION READ: a session and its user, as they are now. It lives on for as long as it may without a request.
-- KEYS  1 jober:session:<hash>  built: jober:user:<user>
-- ARGV  1 ms without a request
-- Reply {fields of the session, fields of its user, or none}, each names and values in turn; none where there is no
--       such session, or its user is gone
--#include time
local was = redis.call('HMGET', KEYS[1], 'user', 'kind', 'seen_ms', 'expires_ms')
if not was[4] then return {} end
local now, user = now_ms(), {}
local left = tonumber(was[4]) - now
if was[2] == 'password' then user = redis.call('HGETALL', 'jober:user:' .. was[1]) end
if left <= 0 or (was[2] == 'password' and #user == 0) then
  redis.call('DEL', KEYS[1])
  return {}
end
-- Not by each request: a tenth of the time is near enough.
if now - tonumber(was[3]) >= tonumber(ARGV[1]) / 10 then
  redis.call('HSET', KEYS[1], 'seen_ms', ms_text(now))
  redis.call('PEXPIRE', KEYS[1], math.min(tonumber(ARGV[1]), left))
end
return { redis.call('HGETALL', KEYS[1]), user }
