-- Plain RQ jobs are put into their queues, as RQ does it (rq 2.12: _enqueue_job of queue.py,
-- should_enqueue_at_front of job.py).
-- KEYS built: rq:job:<id>, rq:queue:<queue>, jober:bell:<queue>
-- A whole number that a field holds; the default for what is none, or larger than any that is meant: an
-- application wrote it, and what Redis refuses would leave an end half written.
local function number_rq(text, default)
  local number = tonumber(text or '')
  if not number or not (math.abs(number) <= 1e9) then return default end
  return math.floor(number)
end

-- What waits is forgotten after its ttl, if it has one.
local function expire_waiting(record)
  local ttl = number_rq(redis.call('HGET', record, 'ttl'), 0)
  if ttl > 0 then redis.call('EXPIRE', record, ttl) end
end

local function enqueue_rq(id, queue, at_front, now)
  local record = 'rq:job:' .. id
  if redis.call('HEXISTS', record, 'state') == 1 then redis.call('HSET', record, 'state', 'queued') end
  redis.call('HSET', record, 'status', 'queued', 'enqueued_at', iso(now))
  redis.call('HSETNX', record, 'timeout', 180) -- RQ's default
  redis.call('HDEL', record, 'retry_at', 'ended_at')
  expire_waiting(record)
  redis.call(at_front and 'LPUSH' or 'RPUSH', 'rq:queue:' .. queue, id)
  ring(queue)
  tell('run.queued', now, { run = id, queue = queue })
end

-- A job whose time has come; false where it does not wait for it any more.
local function promote_rq(id, queue, now)
  local job = redis.call('HMGET', 'rq:job:' .. id, 'status', 'enqueue_at_front',
    'enqueue_at_front_on_retry', 'attempt')
  if job[1] ~= 'scheduled' then return false end
  enqueue_rq(id, queue, job[2] == '1' or job[3] == '1' and number_rq(job[4], 0) > 0, now)
  return true
end
