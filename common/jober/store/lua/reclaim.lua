-- RECLAIM: runs whose agent has not renewed its lease are lost, or tried again, or poisoned where that
-- has happened too often. Any node may run it.
-- KEYS  1 jober:leases
--       built: rq:job:<id>, and those of write_end, put_off, requeue, finish_rq, poison_reason,
--       release_attempt and unpark
-- ARGV  1 msgpack list of {member of KEYS[1], ms until it is tried again (false: it is not)}
--       2 s that a finished run is kept  3 traceback of what is lost, as RQ reads it  5 of what ends since it
--       was to stop
--       4 run_id of the server that this is for, or '' for any: another one has not had its agents renew yet
-- Reply {list of the ids that were lost, list of those that are tried again, list of those that are poisoned}
-- A member that was renewed or let go of meanwhile is left alone.
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
--#include poison
--#include requeue
local now = now_ms()
local lost, again, poisoned = {}, {}, {}

local function reclaim(member, retry_in)
  local lease, job, host, agent, limits, queue = read_lease(member)
  local id, attempt = string.match(lease or '', '^(.*):(%d+)$')
  if not id then
    redis.call('ZREM', KEYS[1], member) -- written by hand: nothing can be told from it
    return
  end
  local run = redis.call('HMGET', 'rq:job:' .. id, 'state', 'attempt', 'target', 'cancel_requested',
    'retries_left')
  local is_it, is_reserved = run[2] == attempt, run[1] == 'reserved'
  local ended = { job = job, target = run[3] or '', queue = queue, host = host, agent = agent,
    stop_reason = run[4] }
  local may_run_twice = retry_in or job == '' and number_rq(run[5], 0) > 0
  release_attempt(lease, job, host, agent, limits, queue)
  if is_it and is_reserved and (may_run_twice or run[4]) then
    -- It never began, as far as anybody knows, and may run twice: it waits as it did before. The number of
    -- the attempt is used up, so that what a silent agent did all the same is not taken for another's.
    if requeue(id, ended, attempt, false, false, ARGV[5], now, tonumber(ARGV[2])) then again[#again + 1] = id end
  elseif is_it and (is_reserved or run[1] == 'running') then
    local outcome = { state = 'lost', rq_traceback = ARGV[3],
      reason = 'agent ' .. agent .. ' has been silent for longer than its lease'
        .. (is_reserved and '; it may not have begun' or '') }
    local poison, is_again = poison_reason(id, ended), false
    if poison then
      outcome.state, outcome.reason = 'poisoned', poison
      tell('run.poisoned', now, { run = id, job = job, host = host, agent = agent, attempt = attempt,
        reason = poison })
    end
    if job == '' then
      is_again = finish_rq(id, ended, outcome, now, tonumber(ARGV[2])) -- an application's own RQ job
    elseif retry_in and not poison and put_off(id, ended, outcome, retry_in, now) then
      is_again = true
    else
      write_end(id, ended, outcome, now, tonumber(ARGV[2]))
    end
    if is_again then
      again[#again + 1] = id
    elseif poison then
      poisoned[#poisoned + 1] = id
    else
      lost[#lost + 1] = id
    end
  end
  unpark(job, host, limits)
end

if not string.find(redis.call('INFO', 'server'), ARGV[4], 1, true) then return { {}, {}, {} } end
for _, overdue in ipairs(cmsgpack.unpack(ARGV[1])) do
  local until_ms = redis.call('ZSCORE', KEYS[1], overdue[1])
  if until_ms and tonumber(until_ms) <= now then reclaim(overdue[1], overdue[2]) end
end
flush_ends(now)
return { lost, again, poisoned }
