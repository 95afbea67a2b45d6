-- DELIVERED: how an attempt to deliver a message ended. Only where it is the one that was taken last.
-- KEYS  1 jober:deliveries  2 jober:delivering  built: jober:delivery:<id>
-- ARGV  1 id  2 number of the attempt  3 ms until it is tried again, '' where it is over  4 what went wrong,
--         '' where it was delivered
-- Reply 1, or 0 where another has it by now
--#include time
--#include event
local key = 'jober:delivery:' .. ARGV[1]
local told = redis.call('HMGET', key, 'attempt', 'job', 'run', 'about', 'to', 'line', 'next')
if told[1] ~= ARGV[2] then return 0 end
local now = now_ms()
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
  redis.call('HSET', key, 'problem', ARGV[4])
  redis.call('HDEL', key, 'owner')
  return 1
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', key)
local line = told[6] or ''
if redis.call('HGET', KEYS[2], line) == ARGV[1] then redis.call('HDEL', KEYS[2], line) end
if told[7] then redis.call('ZADD', KEYS[1], 'XX', ms_text(now), told[7]) end
tell(ARGV[4] == '' and 'notice.sent' or 'notice.failed', now,
  { job = told[2], run = told[3], about = told[4], to = told[5], reason = ARGV[4] })
return 1
