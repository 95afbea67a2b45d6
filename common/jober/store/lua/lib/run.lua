-- New runs: their records are written one by one, what they share once, by flush_runs at the end.
-- KEYS built: rq:job:<id>, jober:runs:<job>, jober:active:<job>[@<host>]; by flush_runs: rq:queues,
--   rq:queue:<queue>, jober:bell:<queue>, jober:runs
-- job: the fields read from jober:job:<name>.
local new_runs, new_in_queue = {}, {}
local function write_run(id, name, job, run, now)
  local queue = run.host and '@' .. run.host or job.queue
  local at, score = iso(now), string.format('%.0f', now)
  redis.call('HSET', 'rq:job:' .. id,
    'data', run.data or job.data, 'created_at', at, 'enqueued_at', at, 'origin', queue,
    'description', run.description or job.description, 'timeout', job.timeout, 'status', 'queued',
    'job', name, 'state', 'queued', 'trigger', run.trigger, 'attempt', '0',
    'revision', job.revision, 'options', job.options, 'target', run.host or '',
    'fire_at', run.fire_at and iso(run.fire_at) or '')
  redis.call('ZADD', 'jober:runs:' .. name, score, id)
  redis.call('SADD', active_key(name, run.host), id)
  tell('run.queued', now, { run = id, job = name, queue = queue, trigger = run.trigger,
    fire_at = run.fire_at and iso(run.fire_at) })
  new_runs[#new_runs + 1] = score
  new_runs[#new_runs + 1] = id
  local ids = new_in_queue[queue]
  if ids then ids[#ids + 1] = id else new_in_queue[queue] = { id } end
end

-- Put them into the lists and the queues, and ring the bells.
local function flush_runs()
  for start = 1, #new_runs, 1000 do
    redis.call('ZADD', 'jober:runs', unpack(new_runs, start, math.min(start + 999, #new_runs)))
  end
  for queue, ids in pairs(new_in_queue) do
    redis.call('SADD', 'rq:queues', 'rq:queue:' .. queue)
    for start = 1, #ids, 1000 do
      redis.call('RPUSH', 'rq:queue:' .. queue, unpack(ids, start, math.min(start + 999, #ids)))
    end
    ring(queue)
  end
end

-- The fields of a job that a run is made from, or nil where there is no such job.
local JOB_FIELDS = { 'revision', 'paused', 'cursor', 'queue', 'data', 'options', 'description',
  'timeout', 'overlap', 'fleet_limit', 'host_limit', 'fires', 'told' }
local function read_job(name)
  local values = redis.call('HMGET', 'jober:job:' .. name, unpack(JOB_FIELDS))
  if not values[1] then return nil end
  local job = {}
  for i, field in ipairs(JOB_FIELDS) do job[field] = values[i] or '' end
  return job
end
