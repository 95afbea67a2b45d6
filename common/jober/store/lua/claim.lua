-- CLAIM: fill the free slots of an agent with queued runs, each with a lease and all the slots that it
-- wants of its job and of shared limits; those that find none free are parked, so that they stand in
-- nobody's way. Runs that may be tried again where an agent dies can be reserved beyond that, to be begun
-- as soon as a slot is free; not those that were taken before: what kills its agents is to be seen to run.
-- KEYS  1 jober:leases  2 jober:agent:<agent>:runs  3 rq:suspended  4.. rq:queue:<queue>
--       built: rq:job:<id>, jober:slots:<job>[@<host>], jober:limits, jober:limit:<limit>,
--       rq:wip:<queue>, rq:workers:<queue>, jober:job:<name>, jober:active:<job>[@<host>], jober:runs, and
--       those of park, miss and better_elsewhere, jober:cordoned
-- ARGV  1 agent  2 host  3 lease in ms  4 slots of the agent to fill  5 s that a finished run is kept
--       6 slots of the agent in all  7 at most so many runs  8 to reserve beyond the free slots, at most
--       9.. the names of the queues
-- Reply {list of {id, attempt, number of its work, fire_at, term, refusals, 1 where it is reserved, all fields of
--   a plain RQ job}, list of works: {job, queue, data, options, trigger, timeout, limits, weight},
--   1 where a run stayed that takes more slots than are free here}
--#include time
--#include event
--#include queue
--#include park
--#include gather
--#include release
--#include finish
--#include expire
--#include avoid
if redis.call('EXISTS', KEYS[3]) == 1 then return { {}, {}, 0 } end
local agent, host, remaining, most = ARGV[1], ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[7])
local ahead = tonumber(ARGV[8])
if redis.call('HEXISTS', 'jober:cordoned', host) == 1 then return { {}, {}, 0 } end
local now = now_ms()
local at, until_ms, now_text = iso(now), ms_text(now + tonumber(ARGV[3])), ms_text(now)
local claimed, left, heavy, first_passed = {}, {}, {}, false
local slots_in_all = tonumber(ARGV[6])
local held_back, blocked = false, false

-- What runs of a job have in common is told once: with a schedule, that is all but the moment.
local works, newest = {}, {}
local function work_of(job, queue, fields, limits, weight)
  local work = newest[job]
  if not work or work[3] ~= fields[3] or work[4] ~= fields[4] or work[2] ~= queue
    or work[5] ~= fields[5] or work[6] ~= fields[7] then
    works[#works + 1] = { job, queue, fields[3] or '', fields[4] or '{}', fields[5] or 'rq',
      fields[7] or '', limits, weight }
    work = { job, queue, fields[3], fields[4], fields[5], fields[7], #works }
    newest[job] = work
  end
  return work[7]
end

-- What a job wants of hosts and limits, read once a call: {weight, priority, names of limits, and what
-- may be full: list of {key of its slots, key of the runs that wait for one, how many}}
local wants = {}
local function wants_of(name)
  local known = wants[name]
  if known then return known end
  local job = redis.call('HMGET', 'jober:job:' .. name, 'fleet_limit', 'host_limit', 'limits', 'weight',
    'priority', 'ahead')
  known = { weight = tonumber(job[4] or '1'), priority = tonumber(job[5] or '5'),
    limits = job[3] or '', full = {}, may_wait_here = job[6] == '1' }
  local function add(slots, parked, number)
    if tonumber(number or '') then
      known.full[#known.full + 1] = { slots = slots, parked = parked, number = tonumber(number) }
    end
  end
  add('jober:slots:' .. name, 'jober:parked:' .. name, job[1])
  add('jober:slots:' .. name .. '@' .. host, 'jober:parked:' .. name .. '@' .. host, job[2])
  for limit in string.gmatch(known.limits, '[^,]+') do
    add('jober:limit:' .. limit, 'jober:limit:' .. limit .. ':parked',
      redis.call('HGET', 'jober:limits', limit))
  end
  wants[name] = known
  return known
end

-- Park the run where there is no slot for it; false where it has all it wants. What it leaves free
-- elsewhere is for the next that waits there: nobody waits for want of what is free.
local function parks(id, job, want)
  for at, one in ipairs(want.full) do
    if redis.call('ZCARD', one.slots) >= one.number then
      park(id, job, want.priority, one.parked, now)
      for other, free in ipairs(want.full) do
        if other ~= at and redis.call('ZCARD', free.slots) < free.number then unpark_one(free.parked) end
      end
      return true
    end
  end
  return false
end

-- A run that takes more slots than are free here stays at the front of its queue, and lighter ones
-- pass it; but not for ever: from PASS_MS on, the agent that meets it takes nothing more until it fits.
local PASS_MS = 5000
local function hold_back(id, passed_at)
  held_back = true
  heavy[#heavy + 1] = id
  if not passed_at then
    redis.call('HSET', 'rq:job:' .. id, 'passed_at', now)
    first_passed = true
  elseif now - (tonumber(passed_at) or 0) >= PASS_MS then
    blocked = true
  end
end

local ends = {}
local function lease_end_of(job, limits, queue)
  local known = ends[job]
  if not known or known[1] ~= limits or known[2] ~= queue then
    known = { limits, queue, lease_end(job, host, agent, limits, queue) }
    ends[job] = known
  end
  return known[3]
end

local function tell_started(id, job, attempt)
  if job == '' then
    tell_facts('run.started', now_text, 'run', id, 'host', host, 'agent', agent, 'attempt', attempt)
  else
    tell_facts('run.started', now_text, 'run', id, 'job', job, 'host', host, 'agent', agent, 'attempt', attempt)
  end
end

-- What the record of a plain RQ job is told beside that, and those that are to be listed.
local as_plain, new_plain = { 'trigger', 'rq', 'last_heartbeat', at }, {}

-- False where it stays in front of its queue, since no slot is free here.
local function take(id, queue)
  local record = 'rq:job:' .. id
  local fields = redis.pcall('HMGET', record, 'status', 'job', 'data', 'options', 'trigger',
    'fire_at', 'timeout', 'attempt', 'target', 'expires_at', 'avoid', 'term', 'passed_at',
    'refused', 'limits', 'retries_left')
  -- What is no record is nothing; anybody may put anything there.
  if fields.err or fields[1] ~= 'queued' then return true end -- cancelled, deleted, or taken already
  local job = fields[2] or ''
  -- Leases tell both between blanks, and agents read them as text.
  if string.find(id .. job, '[^\33-\126]') then
    write_end(id, { job = '', target = '', queue = queue, host = host, agent = '' }, { state = 'failed',
      reason = 'its id, or the name of its job, has other letters than printable ASCII' }, now, tonumber(ARGV[5]))
    flush_ends(now)
    return true
  end
  local want = job ~= '' and wants_of(job)
  local is_ahead = remaining <= 0
  local attempt = (tonumber(string.match(fields[8] or '', '^%d%d?%d?%d?%d?%d?$')) or 0) + 1
  local is_tried_again = want and want.may_wait_here
  if not want then is_tried_again = (tonumber(fields[16] or '') or 0) > 0 end -- as RQ does where its worker dies
  local may_wait_here = is_tried_again and attempt == 1
  if is_ahead and (ahead <= 0 or not may_wait_here) then return false end
  local refused_by, refusals = {}, 0
  if fields[14] then refused_by, refusals = hosts_of(fields[14]) end
  local is_first = attempt - refusals == 1
  if is_first and now >= (tonumber(string.match(fields[10] or '', '^%d+$')) or math.huge) then
    miss(id, { job = job, target = fields[9] or '', queue = queue }, fields[10], now, tonumber(ARGV[5]))
    return true
  end
  if fields[11] and better_elsewhere(fields[11], queue, host, now)
    or refused_by[host] and another_serves(queue, refused_by, now) then
    left[#left + 1] = id
    return true
  end
  local weight = want and math.min(want.weight, slots_in_all) or 1
  if want and parks(id, job, want) then return true end
  if weight > remaining and not is_ahead then
    hold_back(id, fields[13])
    return true
  end
  local lease = id .. ':' .. attempt
  if is_ahead then
    redis.call('HSET', record, 'state', 'reserved', 'status', 'started', 'attempt', attempt,
      'agent', agent, 'host', host, 'worker_name', agent, 'origin', queue, unpack(fields[2] and {} or as_plain))
    ahead = ahead - 1
  else
    redis.call('HSET', record, 'state', 'running', 'status', 'started', 'attempt', attempt,
      'agent', agent, 'host', host, 'worker_name', agent, 'origin', queue, 'started_at', at,
      unpack(fields[2] and {} or as_plain))
    remaining = remaining - weight
    tell_started(id, job, attempt)
  end
  if fields[10] and is_first then redis.call('ZREM', 'jober:expiring', id) end
  if not fields[2] then
    -- An application's own RQ job: it has no definition, but is listed with all others.
    redis.call('PERSIST', record)
    new_plain[#new_plain + 1] = now_text
    new_plain[#new_plain + 1] = id
  end
  if attempt > 1 then
    -- It ended before, or was never started: what that left is not this attempt's.
    redis.call('HDEL', record, 'ended_at', 'exit_code', 'reason', 'return_value', 'traceback',
      'cpu_s', 'peak_memory_bytes', 'progress', 'retry_at', 'avoid', 'limits')
    redis.call('PERSIST', record)
  end
  if fields[13] then redis.call('HDEL', record, 'passed_at') end
  local limits = want and want.limits or ''
  if fields[15] and fields[15] ~= limits then redis.call('HDEL', record, 'limits') end
  gather_score(KEYS[1], until_ms, lease .. lease_end_of(job, limits, queue))
  gather_score(KEYS[2], now_text, lease)
  gather_score('rq:wip:' .. queue, '+inf', lease)
  if want then
    if attempt > 1 then count_active('SADD', id, job, fields[9]) end
    -- At once: the next run is to see it.
    for _, one in ipairs(want.full) do redis.call('ZADD', one.slots, now, lease) end
    if limits ~= '' then redis.call('HSET', record, 'limits', limits) end
  end
  if not fields[2] then fields[3] = nil end -- its data is in its record
  claimed[#claimed + 1] = { id, attempt, work_of(job, queue, fields, limits, weight), fields[6] or '',
    fields[12] or '', refusals, is_ahead and 1 or 0, fields[2] and {} or redis.call('HGETALL', record) }
  return true
end

-- How many runs of a queue are for this agent: where others serve it too, its share of what waits, so
-- that what comes at once does not all go to the agent that is first to hear of it.
local function share_of(queue, waiting)
  local servers = redis.call('SCARD', 'rq:workers:' .. queue)
  return servers > 1 and math.ceil(waiting / servers) or waiting
end

local function serve(queue, key, waiting)
  local looked, is_full, tried_ahead = 0, false, false
  local enough = math.min(most, #claimed + share_of(queue, waiting))
  -- What is parked or dropped costs a look too, so the looks are bounded.
  while #claimed < enough and not blocked and not is_full and looked < 500 do
    local wanted = remaining
    if wanted <= 0 then
      -- One first: where it cannot be reserved, no more are taken out, only to be put back.
      wanted = tried_ahead and ahead or math.min(ahead, 1)
      tried_ahead = true
    end
    if wanted <= 0 then break end
    local ids = redis.call('LPOP', key, math.min(wanted, enough - #claimed, 500 - looked))
    if not ids then break end
    for i, id in ipairs(ids) do
      if blocked or is_full or not take(id, queue) then
        is_full = true
        for back = #ids, i, -1 do redis.call('LPUSH', key, ids[back]) end
        break
      end
      looked = looked + 1
    end
  end
  -- What is left to others goes behind the rest, and does not wake us again: they look once a second.
  local rest = redis.call('LLEN', key)
  for _, id in ipairs(left) do redis.call('RPUSH', key, id) end
  for at = #heavy, 1, -1 do redis.call('LPUSH', key, heavy[at]) end
  if rest > 0 and not blocked or first_passed then ring(queue) end
  left, heavy, first_passed = {}, {}, false
end

for i = 9, #ARGV do
  local waiting = redis.call('LLEN', KEYS[i - 5])
  if waiting > 0 then serve(ARGV[i], KEYS[i - 5], waiting) end
end
if #new_plain > 0 then redis.call('ZADD', 'jober:runs', 'NX', unpack(new_plain)) end
flush_gathered()
return { claimed, works, held_back and 1 or 0 }
