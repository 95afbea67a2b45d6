-- GIVE_BACK: runs that an agent had reserved, and will not begin, go back to the front of their queues, as if
-- they had never been taken; what was asked to stop meanwhile ends so.
-- KEYS  built: rq:job:<id>, rq:queue:<queue>, jober:expiring, and those of release_attempt, unpark and
--       write_end
-- ARGV  1 agent  2 s that a finished run is kept
--       3.. leases, <id>:<attempt>, in the order in which they were reserved
-- Reply list of 1 | 0
--   0: it is not reserved for this agent any more; nothing was written.
--#include time
--#include event
--#include queue
--#include park
--#include gather
--#include release
--#include finish
local now, agent, replies = now_ms(), ARGV[1], {}
-- The last one first, so that the first one is in front.
for i = #ARGV, 3, -1 do
  local id, attempt = string.match(ARGV[i], '^(.*):(%d+)$')
  local record = 'rq:job:' .. id
  local run = redis.call('HMGET', record, 'state', 'attempt', 'agent', 'job', 'host', 'origin', 'limits',
    'target', 'cancel_requested', 'expires_at')
  replies[i - 2] = 0
  if run[1] == 'reserved' and run[2] == attempt and run[3] == agent then
    local job, limits = run[4] or '', run[7] or ''
    release_attempt(ARGV[i], job, run[5], agent, limits, run[6])
    redis.call('HSET', record, 'state', 'queued', 'status', 'queued', 'attempt', attempt - 1)
    redis.call('HDEL', record, 'worker_name', 'agent', 'host', 'limits')
    if run[9] then
      write_end(id, { job = job, target = run[8] or '', queue = run[6], agent = agent },
        { state = 'cancelled', reason = run[9] }, now, tonumber(ARGV[2]))
    else
      redis.call('LPUSH', 'rq:queue:' .. run[6], id)
      ring(run[6])
      if run[10] then redis.call('ZADD', 'jober:expiring', run[10], id) end
    end
    unpark(job, run[5], limits)
    replies[i - 2] = 1
  end
end
flush_ends(now)
return replies
