-- PROMOTE: runs whose next attempt is due go back to their queues. Any node may run it.
-- KEYS  1 jober:delayed
--       built: rq:job:<id>, rq:queue:<queue>, jober:bell:<queue>
-- ARGV  1 at most so many
-- Reply {how many went back, ms until the next is due, or -1 where none waits}
--#include time
--#include event
--#include queue
local now = now_ms()
local moved = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
  redis.call('ZREM', KEYS[1], id)
  local record = 'rq:job:' .. id
  local run = redis.call('HMGET', record, 'state', 'origin', 'job')
  if run[1] == 'delayed' then
    redis.call('HSET', record, 'state', 'queued', 'status', 'queued')
    redis.call('HDEL', record, 'retry_at')
    push(run[2], id)
    tell('run.queued', now, { run = id, job = run[3], queue = run[2] })
    moved = moved + 1
  end
end
local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return { moved, next[2] and math.max(0, math.ceil(tonumber(next[2]) - now)) or -1 }
