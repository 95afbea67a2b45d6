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
