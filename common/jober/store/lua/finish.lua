-- FINISH: attempts have ended. Each must still be the attempt that its record tells of.
-- KEYS  1 jober:leases  2 rq:worker:<agent>
--       built: rq:job:<id>, and those of write_end, put_off, take_back, send_on, finish_rq,
--       release_attempt and unpark
-- ARGV  1 agent  2 s that a finished run is kept  3 msgpack list of works {job, queue, host, limits}, of
--         which there are few  4 msgpack list of {id, attempt, number of its work, outcome,
--         ms until it is tried again (or false), ms when it began where that is not known yet (or false)}
-- Reply list of 'done' | 'stale'
--   stale: it has been finished before, or is another's by now; nothing was written.
--#include time
--#include event
--#include queue
--#include park
--#include gather
--#include release
--#include finish
--#include retry
--#include rq_queue
--#include begin
--#include rq
--#include avoid
--#include refuse
local now = now_ms()
local replies, good, bad = {}, 0, 0
local agent, keep_s = ARGV[1], tonumber(ARGV[2])
local works = cmsgpack.unpack(ARGV[3])

-- What attempts of a work hold, by the job and the queue that their records tell, which is the same but
-- where others have written them.
local held = {}
local function held_of(number, job, host, limits, queue)
  local of_work = held[number]
  if not of_work or of_work.job ~= job or of_work.queue ~= queue then
    of_work = held_by(job, host, agent, limits, queue)
    of_work.job, of_work.queue = job, queue
    held[number] = of_work
  end
  return of_work
end

-- True where it was done.
local function finish(end_)
  local id, attempt, number, outcome, retry_in, began_ms = unpack(end_)
  local work_job, work_queue, host, limits = unpack(works[number])
  local run = redis.call('HMGET', 'rq:job:' .. id, 'state', 'attempt', 'job', 'target', 'origin', 'host',
    'agent', 'cancel_requested')
  local good_end = outcome.state == 'success' or outcome.state == 'skipped'
  -- Of a run that was given up as lost, or poisoned by it, the true outcome of the same attempt is taken; where it waits
  -- for another one, if that is not needed any more.
  local late = run[1] == 'lost' or run[1] == 'poisoned' or run[1] == 'delayed' and good_end
  local is_it = run[2] == tostring(attempt)
  -- A Redis that has lost its last second may have given the same attempt to another agent.
  local live = run[1] == 'running' or run[1] == 'reserved'
  local anothers = is_it and live and run[7] ~= agent
  local ours = is_it and (live or late) and not anothers
  local job, queue = run[3] or work_job, run[5] or work_queue
  if not anothers then
    release(id .. ':' .. attempt, held_of(number, job, host, limits, queue))
  end
  if not ours then return false end
  if run[1] == 'delayed' then take_back(id) end
  if late then
    outcome.reason = (outcome.reason and outcome.reason .. '; ' or '') .. 'reported late'
  end
  local ended = { job = job, target = run[4] or '', queue = queue, host = run[6] or host, agent = agent,
    plain = live and attempt == 1 and not outcome.last_seq and not run[8] }
  if run[1] == 'reserved' and began_ms then
    if ended.plain and good_end then
      ended.began_ms = began_ms
    else
      begin(id, attempt, ended, began_ms, now)
    end
  end
  local refused, goes_on = outcome.refused, false
  if refused then
    tell('run.refused', now, { run = id, job = job, host = ended.host, agent = agent,
      reason = outcome.reason })
    goes_on = not late and refused == 'here' and send_on(id, ended, outcome, now)
  end
  if goes_on then
    tell('run.queued', now, { run = id, job = job, queue = queue })
  elseif not run[3] then
    finish_rq(id, ended, outcome, now, keep_s) -- an application's own RQ job
  elseif late or not retry_in or not put_off(id, ended, outcome, retry_in, now) then
    write_end(id, ended, outcome, now, keep_s)
  end
  if good_end then
    good = good + 1
  elseif not goes_on then
    bad = bad + 1
  end
  return true
end

for i, end_ in ipairs(cmsgpack.unpack(ARGV[4])) do
  replies[i] = finish(end_) and 'done' or 'stale'
  local work = works[end_[3]]
  unpark(work[1], work[3], work[4])
end
-- What `rq info` shows of the worker.
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HINCRBY', KEYS[2], 'successful_job_count', good)
  redis.call('HINCRBY', KEYS[2], 'failed_job_count', bad)
end
flush_ends(now)
return replies
