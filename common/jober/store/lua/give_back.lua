-- GIVE_BACK: runs that an agent had reserved, and will not begin, go back to the front of their queues, as if
-- they had never been taken; what was asked to stop meanwhile ends so.
-- KEYS  built: rq:job:<id>, and those of requeue, release_attempt and unpark
-- ARGV  1 agent  2 s that a finished run is kept  3 traceback of what ends, as RQ reads it
--       4.. leases, <id>:<attempt>, in the order in which they were reserved
-- Reply list of 1 | 0
--   0: it is not reserved for this agent any more; nothing was written.
--#include time
--#include event
--#include queue
--#include park
--#include gather
--#include release
--#include finish
--#include requeue
local now, agent, replies = now_ms(), ARGV[1], {}
-- The last one first, so that the first one is in front.
for i = #ARGV, 4, -1 do
  local id, attempt = string.match(ARGV[i], '^(.*):(%d+)$')
  local run = redis.call('HMGET', 'rq:job:' .. id, 'state', 'attempt', 'agent', 'job', 'host', 'origin', 'limits',
    'target', 'cancel_requested', 'expires_at')
  replies[i - 3] = 0
  if run[1] == 'reserved' and run[2] == attempt and run[3] == agent then
    local job, limits = run[4] or '', run[7] or ''
    release_attempt(ARGV[i], job, run[5], agent, limits, run[6])
    requeue(id, { job = job, target = run[8] or '', queue = run[6], agent = agent, stop_reason = run[9] },
      attempt - 1, run[10], true, ARGV[3], now, tonumber(ARGV[2]))
    unpark(job, run[5], limits)
    replies[i - 3] = 1
  end
end
flush_ends(now)
return replies
