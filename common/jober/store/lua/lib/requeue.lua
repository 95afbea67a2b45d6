-- A run that its agent never began waits again.
-- KEYS built: rq:job:<id>, rq:queue:<queue>, jober:bell:<queue>, jober:expiring, and those of write_end

-- Whether no attempt before this one began: `refused` names a host for each that did not.
local function is_first_to_begin(attempt, refused)
  local _, refusals = string.gsub(refused or '', '%S+', '')
  return tonumber(attempt) - refusals == 1
end

-- Put it into the queue. attempt: the number of its last one; expires_at: where it may be missed yet.
local function wait_again(id, queue, attempt, expires_at, at_front)
  local record = 'rq:job:' .. id
  redis.call('HSET', record, 'state', 'queued', 'status', 'queued', 'attempt', attempt, 'origin', queue)
  redis.call('HDEL', record, 'started_at', 'worker_name', 'agent', 'host', 'limits')
  if expires_at then redis.call('ZADD', 'jober:expiring', expires_at, id) end
  redis.call(at_front and 'LPUSH' or 'RPUSH', 'rq:queue:' .. queue, id)
  ring(queue)
end

-- The same, but what was asked to stop meanwhile (`stop_reason`) ends so; to be followed by flush_ends. run: {job,
-- target, queue, agent, stop_reason}. True where it waits.
local function requeue(id, run, attempt, expires_at, at_front, rq_traceback, now, ttl)
  if run.stop_reason then
    write_end(id, run, { state = 'cancelled', reason = run.stop_reason, rq_traceback = rq_traceback }, now, ttl)
    return false
  end
  wait_again(id, run.queue, attempt, expires_at, at_front)
  return true
end
