-- A member of jober:leases, '<id>:<attempt> <job> <host> <agent> <limits> <queue>' ('-' for no job, and
-- for no limits, else their names with a comma between): it tells all that the attempt holds, so that
-- this can be let go of though others delete the record.
local function lease_end(job, host, agent, limits, queue)
  return ' ' .. (job == '' and '-' or job) .. ' ' .. host .. ' ' .. agent .. ' ' ..
    (limits == '' and '-' or limits) .. ' ' .. queue
end

local function lease_member(lease, job, host, agent, limits, queue)
  return lease .. lease_end(job, host, agent, limits, queue)
end

local function read_lease(member)
  local lease, job, host, agent, limits, queue =
    string.match(member, '^(%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
  return lease, job == '-' and '' or job, host, agent, limits == '-' and '' or limits, queue
end

-- All that attempts of a job on a host hold, to be let go of by flush_gathered: `ends` is the end of
-- their members of jober:leases, `lists` gather the leases themselves.
-- KEYS built: jober:leases, jober:slots:<job>[@<host>], jober:limit:<limit>, jober:agent:<agent>:runs,
--   rq:wip:<queue>
local function held_by(job, host, agent, limits, queue)
  local lists = { gathering('ZREM', 'rq:wip:' .. queue) }
  local function hold(key)
    -- Most jobs have no limit, and so no slots.
    if redis.call('EXISTS', key) == 1 then lists[#lists + 1] = gathering('ZREM', key) end
  end
  if agent ~= '' then hold('jober:agent:' .. agent .. ':runs') end
  if job ~= '' then
    hold('jober:slots:' .. job)
    if host ~= '' then hold('jober:slots:' .. job .. '@' .. host) end
    for name in string.gmatch(limits, '[^,]+') do hold('jober:limit:' .. name) end
  end
  return { ends = lease_end(job, host, agent, limits, queue), lists = lists,
    leases = gathering('ZREM', 'jober:leases') }
end

local function release(lease, held)
  local leases, lists = held.leases, held.lists
  leases[#leases + 1] = lease .. held.ends
  for i = 1, #lists do
    local list = lists[i]
    list[#list + 1] = lease
  end
end

-- Let go of all that an attempt holds.
local function release_attempt(lease, job, host, agent, limits, queue)
  release(lease, held_by(job, host, agent, limits, queue))
end

-- A slot of the job, of its host or of a shared limit is free: the first run that waits for one looks
-- again.
local any_parked
local function unpark(job, host, limits)
  if job == '' then return end
  if any_parked == nil then any_parked = redis.call('EXISTS', 'jober:parked') == 1 end
  if not any_parked then return end
  unpark_one('jober:parked:' .. job)
  if host ~= '' then unpark_one('jober:parked:' .. job .. '@' .. host) end
  for name in string.gmatch(limits, '[^,]+') do unpark_one('jober:limit:' .. name .. ':parked') end
end
