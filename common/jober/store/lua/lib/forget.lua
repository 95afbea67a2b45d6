-- Forget an ended run, whole.
-- KEYS built: rq:job:<id>, rq:results:<id>, jober:out:<id>:log, jober:attempts:<id>, rq:finished:<queue>,
--   rq:failed:<queue>, rq:canceled:<queue>, jober:runs, jober:runs:<job>
local function forget(id, queue, job)
  redis.call('DEL', 'rq:job:' .. id, 'rq:results:' .. id, 'jober:out:' .. id .. ':log',
    'jober:attempts:' .. id)
  redis.call('ZREM', 'rq:finished:' .. queue, id)
  redis.call('ZREM', 'rq:failed:' .. queue, id)
  redis.call('ZREM', 'rq:canceled:' .. queue, id)
  redis.call('ZREM', 'jober:runs', id)
  if job then redis.call('ZREM', 'jober:runs:' .. job, id) end
end
