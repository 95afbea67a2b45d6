-- FINISH: attempts have ended. Each must still be the attempt that its record tells of.
-- KEYS  1 jober:leases  2 rq:worker:<agent>
--       built: rq:job:<id>, and those of write_end, release_attempt and unpark
-- ARGV  1 agent  2 s that a finished run is kept  3 msgpack list of {id, attempt, job, queue, host, outcome}
-- Reply list of 'done' | 'stale'
--   stale: it has been finished before, or is another's by now; nothing was written.
--#include time
--#include event
--#include queue
--#include release
--#include finish
local now = now_ms()
local replies, good, bad = {}, 0, 0
for i, end_ in ipairs(cmsgpack.unpack(ARGV[3])) do
  local lease = end_.id .. ':' .. end_.attempt
  local run = redis.call('HMGET', 'rq:job:' .. end_.id, 'state', 'attempt', 'job', 'target', 'origin', 'host')
  -- Of a run that was given up as lost, the true outcome of the same attempt is taken.
  local ours = (run[1] == 'running' or run[1] == 'lost') and run[2] == tostring(end_.attempt)
  local job = run[3] or end_.job
  release_attempt(lease, job, end_.host, ARGV[1], run[5] or end_.queue)
  if ours then
    if run[1] == 'lost' then
      end_.outcome.reason = (end_.outcome.reason and end_.outcome.reason .. '; ' or '') .. 'reported late'
    end
    write_end(end_.id, { job = job, target = run[4] or '', queue = run[5] or end_.queue,
      host = run[6] or end_.host, agent = ARGV[1] }, end_.outcome, now, tonumber(ARGV[2]))
    replies[i] = 'done'
    if end_.outcome.state == 'success' then good = good + 1 else bad = bad + 1 end
  else
    replies[i] = 'stale'
  end
  unpark(job, end_.host)
end
-- What `rq info` shows of the worker.
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HINCRBY', KEYS[2], 'successful_job_count', good)
  redis.call('HINCRBY', KEYS[2], 'failed_job_count', bad)
end
return replies
