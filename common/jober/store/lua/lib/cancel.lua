-- End a run that waits at once; ask the agent of one that runs to stop it.
-- KEYS built: rq:job:<id>, rq:queue:<queue>, jober:delayed, jober:expiring,
--   rq:deferred:<queue>, rq:scheduled:<queue>, and those of leave_parked, leave_needing and write_end
--   channel: rq:pubsub:<agent>
-- Replies 'withdrawn' | 'asked' | the final state it has already | 'absent'
-- Of a plain RQ job, RQ's tools write the status only.
local WAITS_RQ = { created = 'queued', queued = 'queued', deferred = 'parked', scheduled = 'delayed' }

local function cancel_run(id, reason, rq_traceback, now, ttl)
  local record = 'rq:job:' .. id
  local run = redis.call('HMGET', record, 'state', 'job', 'target', 'origin', 'agent', 'status',
    'parked_in')
  if not run[4] then return 'absent' end
  local state, job, target, queue = run[1] or run[6], run[2] or '', run[3] or '', run[4]
  if job == '' then state = WAITS_RQ[run[6]] or state end
  if state == 'waiting' or state == 'queued' or state == 'parked' or state == 'delayed' then
    redis.call('LREM', 'rq:queue:' .. queue, 1, id)
    if run[7] then leave_parked(id, run[7]) end
    if state == 'waiting' then leave_needing(id, ttl) end
    if job == '' then
      redis.call('ZREM', 'rq:deferred:' .. queue, id)
      redis.call('ZREM', 'rq:scheduled:' .. queue, id)
    end
    redis.call('ZREM', 'jober:expiring', id)
    if redis.call('ZREM', 'jober:delayed', id) == 1 then
      -- How its last attempt ended is among its attempts; the run itself ends by this.
      redis.call('HDEL', record, 'retry_at', 'exit_code', 'traceback')
    end
    write_end(id, { job = job, target = target, queue = queue, agent = '' },
      { state = 'cancelled', reason = reason, rq_traceback = rq_traceback }, now, ttl)
    flush_ends(now)
    return 'withdrawn'
  end
  if state == 'running' or state == 'reserved' then
    redis.call('HSET', record, 'cancel_requested', reason)
    redis.call('PUBLISH', 'rq:pubsub:' .. run[5],
      cjson.encode({ command = 'stop-job', job_id = id, reason = reason }))
    return 'asked'
  end
  return state
end
