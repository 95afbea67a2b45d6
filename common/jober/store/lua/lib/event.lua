-- Tell an event to the log (the last ~10,000) and to whoever listens, as JSON.
-- KEYS: jober:events:log  channel: jober:events
local function tell(type, now, facts)
  local entry = { 'type', type, 'at', string.format('%.0f', now) }
  local message = { type = type, at = now }
  for name, value in pairs(facts) do
    if value and value ~= '' then
      entry[#entry + 1] = name
      entry[#entry + 1] = value
      message[name] = value
    end
  end
  message.id = redis.call('XADD', 'jober:events:log', 'MAXLEN', '~', 10000, '*', unpack(entry))
  redis.call('PUBLISH', 'jober:events', cjson.encode(message))
end
