-- MISS: runs that were not started in time. Any node may run it.
-- KEYS  1 jober:expiring
--       built: rq:job:<id>, rq:queue:<queue>, and those of leave_parked, leave_needing and write_end
-- ARGV  1 at most so many  2 s that a finished run is kept
-- Reply list of the ids that were missed
--#include time
--#include event
--#include queue
--#include park
--#include gather
--#include finish
--#include expire
local now = now_ms()
local missed = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
  redis.call('ZREM', KEYS[1], id)
  local run = redis.call('HMGET', 'rq:job:' .. id, 'state', 'job', 'target', 'origin', 'expires_at',
    'parked_in')
  if run[1] == 'waiting' or run[1] == 'queued' or run[1] == 'parked' then
    -- What is over is dropped from a queue when it is met; where no agent is, nobody would.
    redis.call('LREM', 'rq:queue:' .. run[4], 1, id)
    if run[6] then leave_parked(id, run[6]) end
    if run[1] == 'waiting' then leave_needing(id, tonumber(ARGV[2])) end
    miss(id, { job = run[2], target = run[3], queue = run[4] }, run[5], now, tonumber(ARGV[2]))
    missed[#missed + 1] = id
  end
end
flush_ends(now)
return missed
