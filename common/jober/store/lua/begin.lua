-- BEGIN: reserved runs have begun, and go on.
-- KEYS  built: rq:job:<id>
-- ARGV  1 agent  2 msgpack list of {id, attempt, began_ms}
-- Reply list of 1 | 0
--   0: it is over, or another's, or was told before; nothing was written.
--#include time
--#include event
--#include begin
local now = now_ms()
local replies = {}
for i, told in ipairs(cmsgpack.unpack(ARGV[2])) do
  local id, attempt, began_ms = unpack(told)
  local run = redis.call('HMGET', 'rq:job:' .. id, 'state', 'attempt', 'job', 'host', 'agent')
  replies[i] = 0
  if run[1] == 'reserved' and run[2] == tostring(attempt) and run[5] == ARGV[1] then
    begin(id, attempt, { job = run[3] or '', host = run[4], agent = run[5] }, began_ms, now)
    replies[i] = 1
  end
end
return replies
