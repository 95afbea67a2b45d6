-- A member of jober:leases, '<id>:<attempt> <job> <host> <agent> <queue>' ('-' for no job): it tells
-- all that the attempt holds, so that this can be let go of though others delete the record.
local function lease_member(lease, job, host, agent, queue)
  return lease .. ' ' .. (job == '' and '-' or job) .. ' ' .. host .. ' ' .. agent .. ' ' .. queue
end

local function read_lease(member)
  local lease, job, host, agent, queue = string.match(member, '^(%S+) (%S+) (%S+) (%S+) (.*)$')
  return lease, job == '-' and '' or job, host, agent, queue
end

-- Let go of all that an attempt holds: lease, slots, wip, the agent's list.
-- KEYS built: jober:leases, jober:slots:<job>[@<host>], jober:agent:<agent>:runs, rq:wip:<queue>
local function release_attempt(lease, job, host, agent, queue)
  redis.call('ZREM', 'jober:leases', lease_member(lease, job, host, agent, queue))
  if job ~= '' then
    redis.call('ZREM', 'jober:slots:' .. job, lease)
    if host ~= '' then redis.call('ZREM', 'jober:slots:' .. job .. '@' .. host, lease) end
  end
  if agent ~= '' then redis.call('ZREM', 'jober:agent:' .. agent .. ':runs', lease) end
  redis.call('ZREM', 'rq:wip:' .. queue, lease)
end

-- A slot is free: put the first run that waits for one back into its queue.
-- KEYS built: jober:parked:<job>[@<host>], rq:job:<id>, rq:queue:<queue>; by unpark_all jober:agents,
--   jober:agent:<agent>
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

-- The limits of a job are others now: all its runs that wait look again.
local function unpark_all(job)
  local keys = { 'jober:parked:' .. job }
  for _, agent in ipairs(redis.call('ZRANGE', 'jober:agents', 0, -1)) do
    local host = redis.call('HGET', 'jober:agent:' .. agent, 'host')
    if host then keys[#keys + 1] = 'jober:parked:' .. job .. '@' .. host end
  end
  for _, key in ipairs(keys) do
    for _ = 1, math.min(redis.call('ZCARD', key), 1000) do unpark_one(key) end
  end
end

local function unpark(job, host)
  if job == '' then return end
  unpark_one('jober:parked:' .. job)
  if host ~= '' then unpark_one('jober:parked:' .. job .. '@' .. host) end
end
