-- CLAIM: fill the free slots of an agent with queued runs, each with a lease and all the slots that it
-- wants of its job and of shared limits; those that find none free are parked, so that they stand in
-- nobody's way. More can be reserved beyond that, to be begun as soon as a slot is free: many of what may be
-- tried again where an agent dies, and few of what may not, since its death is the end of what it has reserved
-- of that. Not what was taken before: what kills its agents is to be seen to run.
-- KEYS  1 jober:leases  2 jober:agent:<agent>:runs  3 rq:suspended  4.. rq:queue:<queue>
--       built: rq:job:<id>, jober:slots:<job>[@<host>], jober:limits, jober:limit:<limit>,
--       rq:wip:<queue>, rq:workers:<queue>, jober:job:<name>, jober:active:<job>[@<host>], jober:runs, and
--       those of park, miss and better_elsewhere, jober:cordoned
-- ARGV  1 agent  2 host  3 lease in ms  4 slots of the agent to fill  5 s that a finished run is kept
--       6 slots of the agent in all  7 at most so many runs  8 to reserve beyond the free slots, at most
--       9 the same as far as it is none that may be tried again  10.. the names of the queues
-- Reply {list of two values for each: id, number of its lot; list of lots: {attempt, number of its work, fire_at,
--   term, refusals, 1 where it is reserved, 1 for a plain RQ job}; list of works: {job, queue, data, options,
--   trigger, timeout, limits, weight}; msgpack list of the records of plain RQ jobs, in their order, each a map
--   of all fields, or '' where there is none; 1 where a run stayed that takes more slots than are free here}
--#include time
--#include event
--#include queue
--#include park
--#include gather
--#include release
--#include finish
--#include expire
--#include begin
--#include avoid
if redis.call('EXISTS', KEYS[3]) == 1 then return { {}, {}, {}, '', 0 } end
local agent, host, remaining, most = ARGV[1], ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[7])
local ahead, ahead_once, is_once = tonumber(ARGV[8]), tonumber(ARGV[9]), false
if redis.call('HEXISTS', 'jober:cordoned', host) == 1 then return { {}, {}, {}, '', 0 } end
local now = now_ms()
local at, until_ms, now_text = iso(now), ms_text(now + tonumber(ARGV[3])), ms_text(now)
local claimed, taken, lots, records = {}, 0, {}, {}
local left, heavy, first_passed = {}, {}, false
local slots_in_all = tonumber(ARGV[6])
local held_back, blocked = false, false

-- What runs of a job have in common is told once: with a schedule, that is all but the moment.
local works, newest, number_of = {}, {}, {}
local function work_of(kind, queue, limits, weight)
  local job = kind.job
  local work = newest[job]
  if not work or work[2] ~= queue or work[3] ~= kind.data or work[4] ~= kind.options or work[5] ~= kind.trigger
    or work[6] ~= kind.timeout then
    work = { job, queue, kind.data, kind.options, kind.trigger, kind.timeout, limits, weight }
    works[#works + 1] = work
    newest[job], number_of[work] = work, #works
  end
  return number_of[work]
end

-- What a job wants of hosts and limits, read once a call: {weight, priority, names of limits, and what
-- may be full: list of {key of its slots, key of the runs that wait for one, how many}}
local wants = {}
-- Leases tell ids and names between blanks, and agents read them as text.
local UNREADABLE = '[^\33-\126]'
local function wants_of(name)
  local known = wants[name]
  if known then return known end
  local job = redis.call('HMGET', 'jober:job:' .. name, 'fleet_limit', 'host_limit', 'limits', 'weight',
    'priority', 'ahead')
  known = { weight = tonumber(job[4] or '1'), priority = tonumber(job[5] or '5'),
    limits = job[3] or '', full = {}, may_wait_here = job[6] == '1' or job[6] == 'once', is_once = job[6] == 'once',
    is_readable = not string.find(name, UNREADABLE) }
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

-- What attempts have in common beside their works: all that are reserved of one fire, all of one call.
local lot
local function add_claimed(id, attempt, work, fire_at, term, refusals, reserved, plain)
  if not lot or lot[1] ~= attempt or lot[2] ~= work or lot[3] ~= fire_at or lot[4] ~= term
    or lot[5] ~= refusals or lot[6] ~= reserved then
    lot = { attempt, work, fire_at, term, refusals, reserved, plain }
    lots[#lots + 1] = lot
  end
  taken = taken + 1
  claimed[2 * taken - 1], claimed[2 * taken] = id, #lots
end

-- Plain RQ jobs that are to be listed.
local new_plain = {}

-- What may be in the record of a run that was taken before, {target, avoid, refused, limits}: nothing.
local NOTHING = {}
local leases, agent_runs = gathering('ZADD', KEYS[1]), gathering('ZADD', KEYS[2])

-- What a record is told of being taken, of its queue: names and values in turn, the number of the attempt last.
local function told_of(queue, is_ahead, plain)
  local told = { 'state', is_ahead and 'reserved' or 'running', 'status', 'started', 'agent', agent, 'host', host,
    'worker_name', agent, 'origin', queue }
  local function add(name, value) told[#told + 1], told[#told + 2] = name, value end
  if not is_ahead then add('started_at', at) end
  if plain then
    add('trigger', 'rq')
    add('last_heartbeat', at)
  end
  add('attempt', '1')
  return told
end

-- What is looked at of each: what is its own, and what it has in common with all of its kind.
local OWN = { 'status', 'attempt', 'passed_at', 'kind' }
local LOOKED_AT = { unpack(OWN) }
for _, name in ipairs({ 'job', 'data', 'options', 'trigger', 'timeout', 'fire_at', 'term', 'expires_at' }) do
  LOOKED_AT[#LOOKED_AT + 1] = name
end

-- want: as wants_of tells, nil of a plain RQ job.
local function kind_told_by(fields)
  local job = fields[5] or ''
  return { job = job, want = job ~= '' and wants_of(job) or nil, data = fields[6] or '', options = fields[7] or '{}',
    trigger = fields[8] or 'rq', timeout = fields[9] or '', fire_at = fields[10] or '', term = fields[11] or '',
    expires_at = fields[12] }
end

-- What is its own, in a list, and its kind; of a plain RQ job all there is, by name, as well. After one there are
-- more, and so its record is read whole at once; after one whose kind was known, there are more of that.
local kinds, after_plain, after_known = {}, false, false
local function read(record)
  if after_plain then
    local all, named, fields = redis.pcall('HGETALL', record), {}, {}
    if all.err then return all end
    for i = 1, #all, 2 do named[all[i]] = all[i + 1] end
    for i = 1, #LOOKED_AT do fields[i] = named[LOOKED_AT[i]] or false end
    after_plain = (fields[5] or '') == ''
    return fields, kind_told_by(fields), named
  end
  if after_known then
    local fields = redis.pcall('HMGET', record, unpack(OWN))
    local kind = kinds[fields[4]]
    if kind or fields.err then return fields, kind end
  end
  local fields = redis.pcall('HMGET', record, unpack(LOOKED_AT))
  if fields.err then return fields end
  if fields[1] == 'queued' and (fields[5] or '') == '' then
    after_plain = true
    return read(record)
  end
  local kind = kinds[fields[4]]
  after_known = kind ~= nil
  if not kind then
    kind = kind_told_by(fields)
    if fields[4] then kinds[fields[4]] = kind end
  end
  return fields, kind
end

-- What an attempt leaves in the record.
local OF_BEFORE = { 'ended_at', 'exit_code', 'reason', 'return_value', 'traceback', 'cpu_s', 'peak_memory_bytes',
  'progress', 'retry_at', 'avoid', 'limits' }

-- False where it stays in front of its queue, since no slot is free here. told: by told_of, of all four kinds.
local function take(id, queue, wip, told)
  local record = 'rq:job:' .. id
  local fields, kind, named = read(record)
  -- What is no record is nothing; anybody may put anything there.
  if fields.err or fields[1] ~= 'queued' then return true end -- cancelled, deleted, or taken already
  local passed_at, job, want, expires_at = fields[3], kind.job, kind.want, kind.expires_at
  if string.find(id, UNREADABLE) or want and not want.is_readable then
    write_end(id, { job = '', target = '', queue = queue, host = host, agent = '' }, { state = 'failed',
      reason = 'its id, or the name of its job, has other letters than printable ASCII' }, now, tonumber(ARGV[5]))
    return true
  end
  local is_ahead, attempt, before = remaining <= 0, 1, NOTHING
  if fields[2] then
    attempt = (tonumber(string.match(fields[2], '^%d%d?%d?%d?%d?%d?$')) or 0) + 1
    before = redis.call('HMGET', record, 'target', 'avoid', 'refused', 'limits')
  end
  if is_ahead then
    if attempt > 1 or ahead <= 0 or want and not want.may_wait_here then return false end
    if want then
      is_once = want.is_once
    else -- as RQ does where its worker dies
      is_once = (tonumber(named.retries_left or '') or 0) <= 0
    end
    if is_once and ahead_once <= 0 then return false end
  end
  local refused_by, refusals = NOTHING, 0
  if before[3] then refused_by, refusals = hosts_of(before[3]) end
  local is_first = attempt - refusals == 1
  if expires_at and is_first and now >= (tonumber(string.match(expires_at, '^%d+$')) or math.huge) then
    miss(id, { job = job, target = redis.call('HGET', record, 'target') or '', queue = queue }, expires_at, now,
      tonumber(ARGV[5]))
    return true
  end
  if before[2] and better_elsewhere(before[2], queue, host, now)
    or refused_by[host] and another_serves(queue, refused_by, now) then
    left[#left + 1] = id
    return true
  end
  local weight = want and math.min(want.weight, slots_in_all) or 1
  if want and parks(id, job, want) then return true end
  if weight > remaining and not is_ahead then
    hold_back(id, passed_at)
    return true
  end
  local attempt_text = attempt == 1 and '1' or string.format('%.0f', attempt)
  local lease = id .. ':' .. attempt_text
  local now_told = told[is_ahead and 1 or 2][want and 1 or 2]
  now_told[#now_told] = attempt_text
  redis.call('HSET', record, unpack(now_told))
  if is_ahead then
    ahead, ahead_once = ahead - 1, ahead_once - 1
  else
    remaining = remaining - weight
    tell_started(id, { job = job, host = host, agent = agent }, attempt_text, now)
  end
  if expires_at and is_first then redis.call('ZREM', 'jober:expiring', id) end
  if not want then
    -- An application's own RQ job: it has no definition, but is listed with all others.
    redis.call('PERSIST', record)
    new_plain[#new_plain + 1] = now_text
    new_plain[#new_plain + 1] = id
  end
  if attempt > 1 then
    -- It ended before, or was never started: what that left is not this attempt's.
    redis.call('HDEL', record, unpack(OF_BEFORE))
    redis.call('PERSIST', record)
    for _, name in ipairs(OF_BEFORE) do
      if named then named[name] = nil end
    end
  end
  if passed_at then redis.call('HDEL', record, 'passed_at') end
  local limits = want and want.limits or ''
  if before[4] and before[4] ~= limits then redis.call('HDEL', record, 'limits') end
  if kind.queue ~= queue then
    kind.queue, kind.lease_end = queue, lease_end_of(job, limits, queue)
    kind.work = work_of(kind, queue, limits, weight)
  end
  local count = #leases
  leases[count + 1], leases[count + 2] = until_ms, lease .. kind.lease_end
  agent_runs[count + 1], agent_runs[count + 2] = now_text, lease
  count = #wip
  wip[count + 1], wip[count + 2] = '+inf', lease
  if want then
    if attempt > 1 then count_active('SADD', id, job, before[1]) end
    -- At once: the next run is to see it.
    for _, one in ipairs(want.full) do redis.call('ZADD', one.slots, now_text, lease) end
    if limits ~= '' then redis.call('HSET', record, 'limits', limits) end
  else
    for i = 1, #now_told, 2 do named[now_told[i]] = now_told[i + 1] end
    records[#records + 1] = named
  end
  add_claimed(id, attempt, kind.work, kind.fire_at, kind.term, refusals, is_ahead and 1 or 0, want and 0 or 1)
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
  local enough = math.min(most, taken + share_of(queue, waiting))
  local wip = gathering('ZADD', 'rq:wip:' .. queue)
  local told = { { told_of(queue, true, false), told_of(queue, true, true) },
    { told_of(queue, false, false), told_of(queue, false, true) } }
  -- What is parked or dropped costs a look too, so the looks are bounded.
  while taken < enough and not blocked and not is_full and looked < 500 do
    local wanted = remaining
    if wanted <= 0 then
      -- One first: where it cannot be reserved, no more are taken out, only to be put back.
      wanted = tried_ahead and (is_once and math.min(ahead, ahead_once) or ahead) or math.min(ahead, 1)
      tried_ahead = true
    end
    if wanted <= 0 then break end
    local ids = redis.call('LPOP', key, math.min(wanted, enough - taken, 500 - looked))
    if not ids then break end
    for i, id in ipairs(ids) do
      if blocked or is_full or not take(id, queue, wip, told) then
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

for i = 10, #ARGV do
  local waiting = redis.call('LLEN', KEYS[i - 6])
  if waiting > 0 then serve(ARGV[i], KEYS[i - 6], waiting) end
end
if #new_plain > 0 then redis.call('ZADD', 'jober:runs', 'NX', unpack(new_plain)) end
flush_ends(now)
return { claimed, lots, works, #records > 0 and cmsgpack.pack(records) or '', held_back and 1 or 0 }
