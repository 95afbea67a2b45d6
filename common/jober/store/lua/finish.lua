-- FINISH: attempts have ended. Each must still be the attempt that its record tells of.
-- KEYS  1 jober:leases  2 rq:worker:<agent>
--       built: rq:job:<id>, and those of write_end, put_off, take_back, send_on, finish_rq,
--       release_attempt and unpark
-- ARGV  1 agent  2 s that a finished run is kept  3 msgpack list of {id, attempt, job, queue, host,
--         limits, outcome, retry_in (ms, where it is to be tried again)}
-- Reply list of 'done' | 'stale'
--   stale: it has been finished before, or is another's by now; nothing was written.
--#include time
--#include event
--#include queue
--#include park
--#include release
--#include finish
--#include retry
--#include rq_queue
--#include rq
--#include avoid
--#include refuse
local now = now_ms()
local replies, good, bad = {}, 0, 0
for i, end_ in ipairs(cmsgpack.unpack(ARGV[3])) do
  local lease = end_.id .. ':' .. end_.attempt
  local run = redis.call('HMGET', 'rq:job:' .. end_.id, 'state', 'attempt', 'job', 'target', 'origin', 'host',
    'agent')
  local good_end = end_.outcome.state == 'success' or end_.outcome.state == 'skipped'
  -- Of a run that was given up as lost, or poisoned by it, the true outcome of the same attempt is taken; where it waits
  -- for another one, if that is not needed any more.
  local late = run[1] == 'lost' or run[1] == 'poisoned' or run[1] == 'delayed' and good_end
  local is_it = run[2] == tostring(end_.attempt)
  -- A Redis that has lost its last second may have given the same attempt to another agent.
  local anothers = is_it and run[1] == 'running' and run[7] ~= ARGV[1]
  local ours = is_it and (run[1] == 'running' or late) and not anothers
  local job = run[3] or end_.job
  if not anothers then
    release_attempt(lease, job, end_.host, ARGV[1], end_.limits, run[5] or end_.queue)
  end
  if ours then
    if run[1] == 'delayed' then take_back(end_.id) end
    if late then
      end_.outcome.reason = (end_.outcome.reason and end_.outcome.reason .. '; ' or '') .. 'reported late'
    end
    local ended = { job = job, target = run[4] or '', queue = run[5] or end_.queue,
      host = run[6] or end_.host, agent = ARGV[1] }
    local refused, goes_on = end_.outcome.refused, false
    if refused then
      tell('run.refused', now, { run = end_.id, job = job, host = ended.host, agent = ARGV[1],
        reason = end_.outcome.reason })
      goes_on = not late and refused == 'here' and send_on(end_.id, ended, end_.outcome, now)
    end
    if goes_on then
      tell('run.queued', now, { run = end_.id, job = job, queue = ended.queue })
    elseif not run[3] then
      finish_rq(end_.id, ended, end_.outcome, now, tonumber(ARGV[2])) -- an application's own RQ job
    elseif late or not end_.retry_in or not put_off(end_.id, ended, end_.outcome, end_.retry_in, now) then
      write_end(end_.id, ended, end_.outcome, now, tonumber(ARGV[2]))
    end
    replies[i] = 'done'
    if good_end then
      good = good + 1
    elseif not goes_on then
      bad = bad + 1
    end
  else
    replies[i] = 'stale'
  end
  unpark(job, end_.host, end_.limits)
end
-- What `rq info` shows of the worker.
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HINCRBY', KEYS[2], 'successful_job_count', good)
  redis.call('HINCRBY', KEYS[2], 'failed_job_count', bad)
end
return replies
