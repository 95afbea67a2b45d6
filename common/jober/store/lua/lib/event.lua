-- Tell an event to the log (the last ~10,000), and as JSON to whoever listens just now.
-- KEYS: jober:events:log  channel: jober:events
local heard
local function tell(type, now, facts)
  local at = string.format('%.0f', now)
  local entry = { 'type', type, 'at', at }
  for name, value in pairs(facts) do
    if value and value ~= '' then
      entry[#entry + 1] = name
      entry[#entry + 1] = value
    end
  end
  local id = redis.call('XADD', 'jober:events:log', 'MAXLEN', '~', 10000, '*', unpack(entry))
  if heard == nil then
    heard = redis.call('PUBSUB', 'NUMSUB', 'jober:events')[2] > 0
      or redis.call('PUBSUB', 'NUMPAT') > 0
  end
  if heard then
    local message = { id = id, type = type, at = now }
    for i = 5, #entry, 2 do message[entry[i]] = entry[i + 1] end
    redis.call('PUBLISH', 'jober:events', cjson.encode(message))
  end
end
