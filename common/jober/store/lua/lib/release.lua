-- A member of jober:leases, '<id>:<attempt> <job> <host> <agent> <limits> <queue>' ('-' for no job, and
-- for no limits, else their names with a comma between): it tells all that the attempt holds, so that
-- this can be let go of though others delete the record.
local function lease_member(lease, job, host, agent, limits, queue)
  return lease .. ' ' .. (job == '' and '-' or job) .. ' ' .. host .. ' ' .. agent .. ' ' ..
    (limits == '' and '-' or limits) .. ' ' .. queue
end

local function read_lease(member)
  local lease, job, host, agent, limits, queue =
    string.match(member, '^(%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
  return lease, job == '-' and '' or job, host, agent, limits == '-' and '' or limits, queue
end

-- Let go of all that an attempt holds: lease, slots, wip, the agent's list.
-- KEYS built: jober:leases, jober:slots:<job>[@<host>], jober:limit:<limit>, jober:agent:<agent>:runs,
--   rq:wip:<queue>
local function release_attempt(lease, job, host, agent, limits, queue)
  redis.call('ZREM', 'jober:leases', lease_member(lease, job, host, agent, limits, queue))
  if job ~= '' then
    redis.call('ZREM', 'jober:slots:' .. job, lease)
    if host ~= '' then redis.call('ZREM', 'jober:slots:' .. job .. '@' .. host, lease) end
    for name in string.gmatch(limits, '[^,]+') do redis.call('ZREM', 'jober:limit:' .. name, lease) end
  end
  if agent ~= '' then redis.call('ZREM', 'jober:agent:' .. agent .. ':runs', lease) end
  redis.call('ZREM', 'rq:wip:' .. queue, lease)
end

-- A slot of the job, of its host or of a shared limit is free: the first run that waits for one looks
-- again.
local function unpark(job, host, limits)
  if job == '' then return end
  unpark_one('jober:parked:' .. job)
  if host ~= '' then unpark_one('jober:parked:' .. job .. '@' .. host) end
  for name in string.gmatch(limits, '[^,]+') do unpark_one('jober:limit:' .. name .. ':parked') end
end
