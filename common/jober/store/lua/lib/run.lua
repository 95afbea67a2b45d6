-- Write the record of a new run, put it into its queue, and tell of it.
-- KEYS built: rq:job:<id>, rq:queues, rq:queue:<queue>, jober:runs, jober:runs:<job>,
--   jober:active:<job>[@<host>]
-- job: the fields read from jober:job:<name>.
local function write_run(id, name, job, run, now)
  local queue = run.host and '@' .. run.host or job.queue
  local at = iso(now)
  redis.call('HSET', 'rq:job:' .. id,
    'data', run.data or job.data, 'created_at', at, 'enqueued_at', at, 'origin', queue,
    'description', run.description or job.description, 'timeout', job.timeout, 'status', 'queued',
    'job', name, 'state', 'queued', 'trigger', run.trigger, 'attempt', '0',
    'revision', job.revision, 'options', job.options, 'target', run.host or '',
    'fire_at', run.fire_at and iso(run.fire_at) or '')
  redis.call('SADD', 'rq:queues', 'rq:queue:' .. queue)
  redis.call('ZADD', 'jober:runs', now, id)
  redis.call('ZADD', 'jober:runs:' .. name, now, id)
  redis.call('SADD', active_key(name, run.host), id)
  tell('run.queued', now, { run = id, job = name, queue = queue, trigger = run.trigger,
    fire_at = run.fire_at and iso(run.fire_at) })
  push(queue, id)
end

-- The fields of a job that a run is made from, or nil where there is no such job.
local JOB_FIELDS = { 'revision', 'paused', 'cursor', 'queue', 'data', 'options', 'description',
  'timeout', 'overlap', 'fleet_limit', 'host_limit' }
local function read_job(name)
  local values = redis.call('HMGET', 'jober:job:' .. name, unpack(JOB_FIELDS))
  if not values[1] then return nil end
  local job = {}
  for i, field in ipairs(JOB_FIELDS) do job[field] = values[i] or '' end
  return job
end
