-- CANCEL: a run that waits ends at once; one that runs is asked to stop, and its agent told.
-- KEYS  1 rq:job:<id>
--       built: rq:queue:<queue>, jober:parked:<job>[@<host>], and those of write_end
-- ARGV  1 id  2 s that a finished run is kept  3 reason  4 traceback as RQ reads it
-- Reply 'cancelled' | 'asked' | the final state it has already | 'absent'
--#include time
--#include event
--#include queue
--#include finish
local id = ARGV[1]
local run = redis.call('HMGET', KEYS[1], 'state', 'job', 'target', 'origin', 'agent', 'status')
if not run[4] then return 'absent' end
local state, job, target, queue = run[1] or run[6], run[2] or '', run[3] or '', run[4]
if state == 'queued' or state == 'parked' then
  redis.call('LREM', 'rq:queue:' .. queue, 0, id)
  if job ~= '' then
    redis.call('ZREM', 'jober:parked:' .. job, id)
    if target ~= '' then redis.call('ZREM', 'jober:parked:' .. job .. '@' .. target, id) end
  end
  write_end(id, { job = job, target = target, queue = queue, agent = '' },
    { state = 'cancelled', reason = ARGV[3], rq_traceback = ARGV[4] }, now_ms(), tonumber(ARGV[2]))
  return 'cancelled'
end
if state == 'running' then
  redis.call('HSET', KEYS[1], 'cancel_requested', ARGV[3])
  redis.call('PUBLISH', 'rq:pubsub:' .. run[5], cjson.encode({ command = 'stop-job', job_id = id }))
  return 'asked'
end
return state
