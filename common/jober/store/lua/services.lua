-- SERVICES: how services stand, with all that keeping them alive needs.
-- KEYS  built: jober:job:<name>, jober:service:<name>, rq:job:<id>
-- ARGV  the names of jobs
-- Reply list of {name, revision, paused, service, list of {place, what is known of it, run: state, host
--   (or its target), 1 if it is as the definition says now, started_at, ended_at, exit_code, reason}}
-- Names of jobs that are no services are passed over.
local services = {}
for _, name in ipairs(ARGV) do
  local job = redis.call('HMGET', 'jober:job:' .. name, 'revision', 'paused', 'service', 'data', 'options',
    'queue')
  if job[3] and job[3] ~= '' then
    local places = {}
    local known = redis.call('HGETALL', 'jober:service:' .. name)
    for i = 1, #known, 2 do
      local run = redis.call('HMGET', 'rq:job:' .. (cjson.decode(known[i + 1]).run or ''), 'state', 'host',
        'target', 'data', 'options', 'origin', 'started_at', 'ended_at', 'exit_code', 'reason')
      local is_bound = string.sub(run[6] or '', 1, 1) == '@'
      local same = run[4] == job[4] and run[5] == job[5] and (is_bound or run[6] == job[6])
      places[#places + 1] = { known[i], known[i + 1], run[1] or '', run[2] or run[3] or '', same and 1 or 0,
        run[7] or '', run[8] or '', run[9] or '', run[10] or '' }
    end
    services[#services + 1] = { name, job[1], job[2], job[3], places }
  end
end
return services
