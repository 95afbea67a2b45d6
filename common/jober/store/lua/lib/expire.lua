-- The end of a run that was not started in time.
-- KEYS built: jober:expiring, and those of write_end
local function miss(id, run, expires_at, now, ttl)
  redis.call('ZREM', 'jober:expiring', id)
  run.agent = ''
  write_end(id, run, { state = 'missed', reason = 'it was not started by ' .. iso(tonumber(expires_at)) },
    now, ttl)
end
