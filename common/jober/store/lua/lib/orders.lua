-- What is ordered of a host: {1 if it is cordoned, its roles as JSON, or ''}.
local function orders_of(cordoned, roles, host)
  return { redis.call('HEXISTS', cordoned, host), redis.call('HGET', roles, host) or '' }
end

-- What an agent is, which tells state of itself.
local function state_under(orders, state)
  return state == 'up' and orders[1] == 1 and 'cordoned' or state
end
