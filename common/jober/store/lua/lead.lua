-- LEAD: become leader, or stay it. Scoped to the node: only the holder renews.
-- KEYS  1 jober:leader  2 jober:term  3 jober:schema
-- ARGV  1 node  2 lease in ms  3 the schema that it writes
-- Reply {token of the leader, ms left of its lease, now in ms, 1 if it was elected just now}
--#include time
--#include event
local now = now_ms()
local token = redis.call('GET', KEYS[1])
-- What is no token is nobody's lead, and would keep all others from it.
local holder = token and string.match(token, '^%d+:(.+)$')
if holder then
  local left = redis.call('PTTL', KEYS[1])
  -- One that has lost its end gets one: whoever holds it goes on to renew it.
  if holder == ARGV[1] or left < 0 then
    left = tonumber(ARGV[2])
    redis.call('PEXPIRE', KEYS[1], left)
  end
  return { token, left, now, 0 }
end
local term = math.max((tonumber(redis.call('GET', KEYS[2]) or '') or 0) + 1, now)
local term_text = string.format('%.0f', term)
redis.call('SET', KEYS[2], term_text)
if (tonumber(redis.call('GET', KEYS[3]) or '') or 0) < tonumber(ARGV[3]) then
  redis.call('SET', KEYS[3], ARGV[3])
end
token = term_text .. ':' .. ARGV[1]
redis.call('SET', KEYS[1], token, 'PX', ARGV[2])
tell('leader.elected', now, { node = ARGV[1], term = term_text })
return { token, tonumber(ARGV[2]), now, 1 }
