-- Whether a run is left to other hosts: it failed on one a while ago, or some have refused it.
-- KEYS built: jober:agents, jober:agent:<agent>
local live

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

-- Whether a live host that takes runs serves the queue, and is none of those (a set).
local function another_serves(queue, those, now)
  if not live then
    live = {}
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', 'jober:agents', '(' .. string.format('%.0f', now), '+inf')) do
      local agent = redis.call('HMGET', 'jober:agent:' .. id, 'host', 'state', 'roles')
      if agent[1] and agent[2] == 'up' then
        local roles = {}
        for _, role in ipairs(cjson.decode(agent[3])) do roles[role] = true end
        live[#live + 1] = { agent[1], roles }
      end
    end
  end
  for _, agent in ipairs(live) do
    if not those[agent[1]] and serves(queue, agent[2]) then return true end
  end
  return false
end

-- avoid: '<host> <until, ms>' of the record. Only while another host would take it: no run waits for
-- want of a better place.
local function better_elsewhere(avoid, queue, host, now)
  local bad, until_ms = string.match(avoid, '^(%S+) (%d+)$')
  return bad == host and now < tonumber(until_ms) and another_serves(queue, { [host] = true }, now)
end

-- refused: '<host> <host> …' of the record, a host for each refusal.
local function hosts_of(refused)
  local set, count = {}, 0
  for host in string.gmatch(refused, '%S+') do
    set[host] = true
    count = count + 1
  end
  return set, count
end
