-- PAUSE, RESUME: a paused job does not fire; on resuming, its missed fires are caught up as it says.
-- A service is stopped, and started again.
-- KEYS  1 jober:job:<name>  2 jober:due  3 jober:wake
--       built: those of stop_service and list_paused
-- ARGV  1 name  2 '1' to pause, '0' to resume  3 s that a finished run is kept
--       4 traceback of a cancelled run, as RQ reads it
-- Reply 1 if it changed, 0 if it was so already, -1 if there is no such job
--#include time
--#include event
--#include queue
--#include park
--#include gather
--#include finish
--#include cancel
--#include service
--#include lists
local fields = redis.call('HMGET', KEYS[1], 'paused', 'schedule')
if not fields[1] then return -1 end
if fields[1] == ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'paused', ARGV[2])
list_paused(ARGV[1], ARGV[2] == '1')
if ARGV[2] == '1' then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('HDEL', KEYS[1], 'next')
  stop_service(ARGV[1], 'its job was paused', ARGV[4], now_ms(), tonumber(ARGV[3]))
elseif fields[2] ~= '' then
  redis.call('ZADD', KEYS[2], 0, ARGV[1])
end
redis.call('RPUSH', KEYS[3], '1')
redis.call('LTRIM', KEYS[3], -1, -1)
tell(ARGV[2] == '1' and 'job.paused' or 'job.resumed', now_ms(), { job = ARGV[1] })
return 1
