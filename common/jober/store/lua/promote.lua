-- PROMOTE: runs whose next attempt is due go back to their queues, and so do RQ jobs whose time has
-- come. Any node may run it.
-- KEYS  1 jober:delayed  2 rq:queues
--       built: rq:job:<id>, rq:queue:<queue>, jober:bell:<queue>, rq:scheduled:<queue>,
--       rq:scheduler-lock:<queue>
-- ARGV  1 at most so many of each
-- Reply {how many went back, ms until the next is due, or -1 where none waits}
--#include time
--#include event
--#include queue
--#include rq_queue
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
local next = tonumber(redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2])
for _, key in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  local queue = string.sub(key, 10) -- without rq:queue:
  local scheduled = 'rq:scheduled:' .. queue
  local first = redis.call('ZRANGE', scheduled, 0, 0, 'WITHSCORES')[2]
  -- Where a scheduler of RQ's has the queue, it is left to that one: no job is put in twice.
  if first and redis.call('EXISTS', 'rq:scheduler-lock:' .. queue) == 0 then
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', scheduled, '-inf', now / 1000, 'LIMIT', 0, ARGV[1])) do
      redis.call('ZREM', scheduled, id)
      if promote_rq(id, queue, now) then moved = moved + 1 end
    end
    local rest = tonumber(redis.call('ZRANGE', scheduled, 0, 0, 'WITHSCORES')[2])
    if rest then next = math.min(next or math.huge, rest * 1000) end
  end
end
return { moved, next and math.max(0, math.ceil(next - now)) or -1 }
