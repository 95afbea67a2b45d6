-- Tell an event to the log (the last ~10,000), and as JSON to whoever listens just now.
-- KEYS: jober:events:log  channel: jober:events
local heard
local events_told = 0

-- As `tell`, for what is told by the thousand: the facts as names and values in turn, all of them set.
local function tell_facts(type, at, ...)
  local id
  -- Trimmed by the first of a call and each hundredth: a trim costs as much as a fact.
  if events_told % 100 == 0 then
    id = redis.call('XADD', 'jober:events:log', 'MAXLEN', '~', '10000', '*', 'type', type, 'at', at, ...)
  else
    id = redis.call('XADD', 'jober:events:log', '*', 'type', type, 'at', at, ...)
  end
  events_told = events_told + 1
  if heard == nil then
    heard = redis.call('PUBSUB', 'NUMSUB', 'jober:events')[2] > 0
      or redis.call('PUBSUB', 'NUMPAT') > 0
  end
  if heard then
    local message, facts = { id = id, type = type, at = tonumber(at) }, { ... }
    for i = 1, #facts, 2 do message[facts[i]] = facts[i + 1] end
    redis.call('PUBLISH', 'jober:events', cjson.encode(message))
  end
end

-- Add a fact to a list of them; nothing where there is none. The length of the list then.
local function add_fact(facts, length, name, value)
  if not value or value == '' then return length end
  facts[length + 1], facts[length + 2] = name, value
  return length + 2
end

-- The facts of who carries out a run, {job, host, agent}, in a list to be gone on with, and its length; it is the
-- same list for the same.
local who, of_whom, known_of_whom = {}, {}, nil
local function facts_of(run)
  if who[1] ~= run.job or who[2] ~= run.host or who[3] ~= run.agent or not known_of_whom then
    who[1], who[2], who[3] = run.job, run.host, run.agent
    known_of_whom = add_fact(of_whom, 0, 'job', run.job)
    known_of_whom = add_fact(of_whom, known_of_whom, 'host', run.host)
    known_of_whom = add_fact(of_whom, known_of_whom, 'agent', run.agent)
  end
  return of_whom, known_of_whom
end

local function tell(type, now, facts)
  local set = {}
  for name, value in pairs(facts) do
    if value and value ~= '' then
      set[#set + 1] = name
      set[#set + 1] = value
    end
  end
  tell_facts(type, ms_text(now), unpack(set))
end
