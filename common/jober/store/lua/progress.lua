-- PROGRESS: how far runs say they are, into their records and to whoever follows them.
-- KEYS  built: rq:job:<id>  channel: jober:out:<id>
-- ARGV  1 msgpack list of {id, attempt, progress (JSON)}
-- Reply list of 1 | 0
--   0: it is over, or another attempt's by now; nothing was written.
local replies = {}
for i, told in ipairs(cmsgpack.unpack(ARGV[1])) do
  local id, attempt, progress = unpack(told)
  local run = redis.call('HMGET', 'rq:job:' .. id, 'state', 'attempt')
  if (run[1] == 'running' or run[1] == 'reserved') and run[2] == tostring(attempt) then
    redis.call('HSET', 'rq:job:' .. id, 'progress', progress)
    redis.call('PUBLISH', 'jober:out:' .. id, cmsgpack.pack({ 'progress', progress }))
    replies[i] = 1
  else
    replies[i] = 0
  end
end
return replies
