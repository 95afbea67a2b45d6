-- The runs of a service are stopped, and its places forgotten.
-- KEYS built: jober:service:<job>, and those of cancel_run
local function stop_service(job, reason, rq_traceback, now, ttl)
  local key = 'jober:service:' .. job
  for _, text in ipairs(redis.call('HVALS', key)) do
    cancel_run(cjson.decode(text).run, reason, rq_traceback, now, ttl)
  end
  redis.call('DEL', key)
end
