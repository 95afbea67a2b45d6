-- The end of a run that was not started in time. A fire's is told in the ledger of its job as well. To be
-- followed by flush_ends.
-- KEYS built: jober:expiring, jober:ledger:<job>, and those of write_end
local function miss(id, run, expires_at, now, ttl, because)
  redis.call('ZREM', 'jober:expiring', id)
  run.agent = ''
  local reason = 'it was not started by ' .. iso(tonumber(expires_at)) .. (because or '')
  local fire_at = redis.call('HGET', 'rq:job:' .. id, 'fire_at')
  if run.job ~= '' and fire_at and fire_at ~= '' then
    local facts = { 'decision', 'missed', 'fire_at', fire_at, 'run', id, 'reason', reason }
    if run.target ~= '' then
      facts[#facts + 1] = 'host'
      facts[#facts + 1] = run.target
    end
    redis.call('XADD', 'jober:ledger:' .. run.job, 'MAXLEN', '~', '1000', '*', unpack(facts))
  end
  write_end(id, run, { state = 'missed', reason = reason }, now, ttl)
end
