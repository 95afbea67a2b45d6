-- Whether a run is better left to others than taken by a host: it failed there a while ago.
-- KEYS built: jober:agents, jober:agent:<agent>
local others

-- Whether roles (a set) are what one of the alternatives of a queue's name asks for; the priority at its
-- end is no part of them.
local function serves(queue, roles)
  for alternative in string.gmatch((string.gsub(queue, '%^%d$', '')), '[^|]+') do
    local fits = true
    for term in string.gmatch(alternative, '[^+]+') do
      local lacking = string.sub(term, 1, 1) == '!'
      if lacking == (roles[lacking and string.sub(term, 2) or term] or false) then fits = false end
    end
    if fits then return true end
  end
  return false
end

-- avoid: '<host> <until, ms>' of the record. Only while another host would take it: no run waits for
-- want of a better place.
local function better_elsewhere(avoid, queue, host, now)
  local bad, until_ms = string.match(avoid, '^(%S+) (%d+)$')
  if bad ~= host or now >= tonumber(until_ms) then return false end
  if not others then
    others = {}
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', 'jober:agents', '(' .. now, '+inf')) do
      local agent = redis.call('HMGET', 'jober:agent:' .. id, 'host', 'state', 'roles')
      if agent[1] and agent[1] ~= host and agent[2] == 'up' then
        local roles = {}
        for _, role in ipairs(cjson.decode(agent[3])) do roles[role] = true end
        others[#others + 1] = roles
      end
    end
  end
  for _, roles in ipairs(others) do
    if serves(queue, roles) then return true end
  end
  return false
end
