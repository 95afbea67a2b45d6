-- Let go of all that an attempt holds: lease, slots, wip, the agent's list.
-- KEYS built: jober:leases, jober:slots:<job>[@<host>], jober:agent:<agent>:runs, rq:wip:<queue>
local function release_attempt(lease, job, host, agent, queue)
  redis.call('ZREM', 'jober:leases', lease)
  if job ~= '' then
    redis.call('ZREM', 'jober:slots:' .. job, lease)
    if host ~= '' then redis.call('ZREM', 'jober:slots:' .. job .. '@' .. host, lease) end
  end
  if agent ~= '' then redis.call('ZREM', 'jober:agent:' .. agent .. ':runs', lease) end
  redis.call('ZREM', 'rq:wip:' .. queue, lease)
end

-- A slot is free: put the first run that waits for one back into its queue.
-- KEYS built: jober:parked:<job>[@<host>], rq:job:<id>, rq:queue:<queue>
local function unpark_one(parked)
  while true do
    local first = redis.call('ZPOPMIN', parked)
    if not first[1] then return end
    local record = 'rq:job:' .. first[1]
    local fields = redis.call('HMGET', record, 'state', 'origin')
    if fields[1] == 'parked' then
      redis.call('HSET', record, 'state', 'queued', 'status', 'queued')
      redis.call('LPUSH', 'rq:queue:' .. fields[2], first[1])
      ring(fields[2])
      return
    end
  end
end

local function unpark(job, host)
  if job == '' then return end
  unpark_one('jober:parked:' .. job)
  if host ~= '' then unpark_one('jober:parked:' .. job .. '@' .. host) end
end
