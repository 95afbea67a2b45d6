-- A run is held to be poison where its agent has fallen silent so often in a row: it may be what kills
-- them, and to try it again would take down one after another, with all that runs there.
-- KEYS built: jober:attempts:<id>
local POISON_AFTER = 3

-- run: {agent, host} of the attempt that has just been lost. The reason, where it was the last straw.
local function poison_reason(id, run)
  local died = {}
  for _, kept in ipairs(redis.call('LRANGE', 'jober:attempts:' .. id, 0, -1)) do
    local attempt = cjson.decode(kept)
    if attempt.state == 'lost' then
      died[#died + 1] = attempt.agent .. ' on ' .. attempt.host
    else
      died = {} -- whom it left alive
    end
  end
  died[#died + 1] = run.agent .. ' on ' .. run.host
  if #died < POISON_AFTER then return nil end
  return #died .. ' agents fell silent while it ran: ' .. table.concat(died, ', ')
end
