-- A host has refused an attempt, which never began.
-- KEYS built: rq:job:<id>, and those of wait_again and another_serves
-- run: {job, target, queue, host, agent}; true where another host may take it now. Where none is left,
-- what is to be told of the end is added to the outcome.
local function send_on(id, run, outcome, now)
  local record = 'rq:job:' .. id
  local was = redis.call('HMGET', record, 'refused', 'fallback', 'cancel_requested', 'expires_at',
    'attempt')
  if was[3] then
    outcome.state, outcome.reason = 'cancelled', was[3]
    return false
  end
  if run.target ~= '' then
    outcome.reason = outcome.reason .. '; it is bound to this host'
    return false
  end
  local queue = was[2] and string.match(was[2], '^%d+ (.*)$') or run.queue
  local refused = (was[1] and was[1] .. ' ' or '') .. run.host
  if not another_serves(queue, (hosts_of(refused)), now) then
    outcome.reason = outcome.reason .. '; no live host is left that may take it'
    return false
  end
  redis.call('HSET', record, 'refused', refused)
  redis.call('HDEL', record, 'fallback')
  wait_again(id, queue, was[5], is_first_to_begin(was[5], was[1]) and was[4], false)
  return true
end
