-- Runs that wait for a slot. They wait in one zset for each thing that has slots (a job, a job on a
-- host, a limit shared by jobs): the highest priority first, then the oldest.
-- KEYS built: jober:parked, rq:job:<id>, jober:runs:<job>, jober:parked:<job>[@<host>] or
--   jober:limit:<limit>:parked, rq:queue:<queue>
local function park(id, job, priority, parked, now)
  redis.call('HSET', 'rq:job:' .. id, 'state', 'parked', 'status', 'deferred', 'parked_in', parked)
  local made = tonumber(redis.call('ZSCORE', 'jober:runs:' .. job, id) or now)
  redis.call('ZADD', parked, string.format('%.0f', (9 - priority) * 1e14 + made), id)
  redis.call('HSETNX', 'jober:parked', parked, '')
  tell('run.parked', now, { run = id, job = job, waits_for = parked })
end

-- Take a run out of where it waits.
local function leave_parked(id, parked)
  redis.call('HDEL', 'rq:job:' .. id, 'parked_in')
  redis.call('ZREM', parked, id)
  if redis.call('EXISTS', parked) == 0 then redis.call('HDEL', 'jober:parked', parked) end
end

-- Put the first run that waits there back to the front of its queue; false where none does. Which one
-- it was is noted, so that UNPARK does not give its slot away before it is claimed.
local function unpark_one(parked)
  while true do
    local first = redis.call('ZPOPMIN', parked)
    if not first[1] then
      redis.call('HDEL', 'jober:parked', parked)
      return false
    end
    local record = 'rq:job:' .. first[1]
    local fields = redis.call('HMGET', record, 'state', 'origin')
    if fields[1] == 'parked' then
      redis.call('HSET', record, 'state', 'queued', 'status', 'queued')
      redis.call('HDEL', record, 'parked_in')
      redis.call('LPUSH', 'rq:queue:' .. fields[2], first[1])
      redis.call('HSET', 'jober:parked', parked, first[1])
      ring(fields[2])
      return true
    end
  end
end
