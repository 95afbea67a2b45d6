-- GIVE_BACK: runs that an agent had reserved, and will not begin, go back to the front of their queues, as if
-- they had never been taken.
-- KEYS  built: rq:job:<id>, rq:queue:<queue>, and those of release_attempt and unpark
-- ARGV  1 agent  2.. leases, <id>:<attempt>, in the order in which they were reserved
-- Reply list of 1 | 0
--   0: it is not reserved for this agent any more; nothing was written.
--#include time
--#include event
--#include queue
--#include park
--#include gather
--#include release
local agent, replies = ARGV[1], {}
-- The last one first, so that the first one is in front.
for i = #ARGV, 2, -1 do
  local id, attempt = string.match(ARGV[i], '^(.*):(%d+)$')
  local record = 'rq:job:' .. id
  local run = redis.call('HMGET', record, 'state', 'attempt', 'agent', 'job', 'host', 'origin', 'limits')
  replies[i - 1] = 0
  if run[1] == 'reserved' and run[2] == attempt and run[3] == agent then
    local job, limits = run[4] or '', run[7] or ''
    release_attempt(ARGV[i], job, run[5], agent, limits, run[6])
    redis.call('HSET', record, 'state', 'queued', 'status', 'queued', 'attempt', attempt - 1)
    redis.call('HDEL', record, 'worker_name', 'agent', 'host', 'limits')
    redis.call('LPUSH', 'rq:queue:' .. run[6], id)
    ring(run[6])
    unpark(job, run[5], limits)
    replies[i - 1] = 1
  end
end
flush_gathered()
return replies
