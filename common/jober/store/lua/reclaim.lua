-- RECLAIM: runs whose agent has not renewed its lease are lost. Any node may run it.
-- KEYS  1 jober:leases
--       built: rq:job:<id>, and those of write_end, release_attempt and unpark
-- ARGV  1 at most so many  2 s that a finished run is kept  3 traceback as RQ reads it
-- Reply list of the ids that were lost
--#include time
--#include event
--#include queue
--#include release
--#include finish
local now = now_ms()
local lost = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
  local lease, job, host, agent, queue = read_lease(member)
  local id, attempt = string.match(lease or '', '^(.*):(%d+)$')
  if not id then
    redis.call('ZREM', KEYS[1], member) -- written by hand: nothing can be told from it
  else
  local run = redis.call('HMGET', 'rq:job:' .. id, 'state', 'attempt', 'target')
  release_attempt(lease, job, host, agent, queue)
  if run[1] == 'running' and run[2] == attempt then
    write_end(id, { job = job, target = run[3] or '', queue = queue, host = host, agent = agent },
      { state = 'lost', reason = 'agent ' .. agent .. ' has been silent for longer than its lease',
        rq_traceback = ARGV[3] }, now, tonumber(ARGV[2]))
    lost[#lost + 1] = id
  end
  unpark(job, host)
  end
end
return lost
