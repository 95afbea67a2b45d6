-- FINISH: attempts have ended. Each must still be the attempt that its record tells of.
-- KEYS  1 jober:leases  2 rq:worker:<agent>
--       built: rq:job:<id>, and those of write_end, put_off, take_back, send_on, finish_rq,
--       release_attempt and unpark
-- ARGV  1 agent  2 s that a finished run is kept  3 msgpack list of works {job, queue, host, limits}, of
--         which there are few  4 msgpack list of six values for each: id, attempt (text), number of its work,
--         outcome (or the seconds of CPU of a success that has nothing else to tell, as text; or {those, number
--         of its result}), ms until it is tried again (or false), ms when it began where that is not known yet
--         (or false)  5 msgpack list of results {JSON, as RQ reads it}
-- Reply list of the numbers of those that were stale: they have been finished before, or are another's by
--   now, and nothing was written of them
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
--#include requeue
--#include refuse
local now = now_ms()
local stale, good, bad = {}, 0, 0
local agent, keep_s = ARGV[1], tonumber(ARGV[2])
local works = cmsgpack.unpack(ARGV[3])

-- What attempts of a work hold, and what is told of their ends.
local held = {}
local function of_work(number)
  local known = held[number]
  if not known then
    local job, queue, host, limits = unpack(works[number])
    known = held_by(job, host, agent, limits, queue)
    known.ended = { job = job, target = '', queue = queue, host = host, agent = agent }
    known.is_bound = string.sub(queue, 1, 1) == '@'
    held[number] = known
  end
  return known
end

-- What is read of each record; before that, of an application's own RQ job, what is done at its end.
local READ, READ_RQ = { 'state', 'attempt', 'agent', 'cancel_requested' }, { unpack(AT_END_RQ) }
for _, name in ipairs(READ) do READ_RQ[#READ_RQ + 1] = name end

-- Whether other RQ jobs wait for the end of any of these, looked up once for all.
local ends = cmsgpack.unpack(ARGV[4])
local any_dependents
local function have_dependents()
  if any_dependents == nil then
    local keys = {}
    for i = 1, #ends, 6 do
      if works[ends[i + 2]][1] == '' then keys[#keys + 1] = 'rq:job:' .. ends[i] .. ':dependents' end
    end
    any_dependents = redis.call('EXISTS', unpack(keys)) > 0
  end
  return any_dependents
end

-- True where it was done.
local function finish(id, attempt, number, outcome, retry_in, began_ms)
  local record, work = 'rq:job:' .. id, of_work(number)
  local is_rq = work.ended.job == ''
  local run = redis.call('HMGET', record, unpack(is_rq and READ_RQ or READ))
  local state, attempt_now, agent_now, stop_reason = unpack(run, is_rq and #AT_END_RQ + 1 or 1, #run)
  local good_end = outcome.state == 'success' or outcome.state == 'skipped'
  local is_it = attempt_now == attempt
  -- A Redis that has lost its last second may have given the same attempt to another agent.
  local live = state == 'running' or state == 'reserved'
  local anothers = is_it and live and agent_now ~= agent
  if not anothers then release(id .. ':' .. attempt, work) end
  local plain = live and attempt == '1' and not outcome.last_seq and not stop_reason
  -- Nearly all are such, and nothing of them is looked at that is known by their work.
  if is_it and not anothers and good_end and plain and not work.is_bound then
    local ended = work.ended
    ended.plain, ended.began_ms = true, state == 'reserved' and began_ms
    good = good + 1
    if is_rq then
      ended.is_last = not have_dependents()
      finish_rq(id, ended, outcome, now, keep_s, run)
    else
      write_end(id, ended, outcome, now, keep_s)
    end
    return true
  end
  -- Of a run that was given up as lost, or poisoned by it, the true outcome of the same attempt is taken; where it waits
  -- for another one, if that is not needed any more.
  local late = state == 'lost' or state == 'poisoned' or state == 'delayed' and good_end
  local ours = is_it and (live or late) and not anothers
  local known, more = work.ended, redis.call('HMGET', record, 'job', 'target', 'origin', 'host')
  local job, queue = more[1] or known.job, more[3] or known.queue
  -- Where others have written another job or queue into its record, it is in their lists.
  if not anothers and (job ~= known.job or queue ~= known.queue) then
    release_attempt(id .. ':' .. attempt, job, known.host, agent, works[number][4], queue)
  end
  if not ours then return false end
  if state == 'delayed' then take_back(id) end
  if late then
    outcome.reason = (outcome.reason and outcome.reason .. '; ' or '') .. 'reported late'
  end
  local ended = { job = job, target = more[2] or '', queue = queue, host = more[4] or known.host, agent = agent,
    plain = plain }
  if state == 'reserved' and began_ms then
    if plain and good_end then
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
  elseif not more[1] then
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

local results, plain_end = cmsgpack.unpack(ARGV[5]), { state = 'success', exit_code = '0' }
local NO_RESULT = {}
for i = 1, #ends, 6 do
  local outcome, number = ends[i + 3], ends[i + 2]
  local is_short = type(outcome) == 'string'
  if is_short or outcome[1] then
    local result = is_short and NO_RESULT or results[outcome[2]]
    plain_end.cpu_s, plain_end.reason = is_short and outcome or outcome[1], nil
    plain_end.result, plain_end.rq_result = result[1], result[2]
    outcome = plain_end
  end
  if not finish(ends[i], ends[i + 1], number, outcome, ends[i + 4], ends[i + 5]) then
    stale[#stale + 1] = (i + 5) / 6
  end
  local work = works[number]
  unpark(work[1], work[3], work[4])
end
-- What `rq info` shows of the worker.
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HINCRBY', KEYS[2], 'successful_job_count', good)
  redis.call('HINCRBY', KEYS[2], 'failed_job_count', bad)
end
flush_ends(now)
return stale
