-- RESTORE_RUNS: runs that have ended, out of a backup. One that is there already is left alone, and so
-- is one that would have been forgotten by now.
-- KEYS  1 jober:runs  2 jober:overfull
--       built: rq:job:<id>, jober:attempts:<id>, rq:results:<id>, jober:runs:<job>, jober:job:<job>
--       (looked at), rq:finished:<queue>, rq:failed:<queue>, rq:canceled:<queue>, jober:cleaning,
--       and those of keep_end
-- ARGV  1 msgpack list of {id, job, queue, status (RQ's), made (ms), ended (ms), fields (of the
--         record), attempts, result (fields; empty for none)}, numbers as text
--       2 ms that the history of a job is kept that is not there  3 ms that an ended run is kept, where
--       its job does not say
-- Reply how many were written
--#include upstream
local now = now_ms()
local REGISTRY = { finished = 'rq:finished:', canceled = 'rq:canceled:' }
local written = 0
for _, run in ipairs(cmsgpack.unpack(ARGV[1])) do
  local record, runs = 'rq:job:' .. run.id, 'jober:runs:' .. run.job
  local told = redis.call('HMGET', 'jober:job:' .. run.job, 'keep_s', 'keep_runs', 'upstream')
  local kept_ms = told[1] and told[1] * 1000 or ARGV[3]
  local expires = string.format('%.0f', math.min(run.ended, now) + kept_ms)
  if tonumber(expires) > now and redis.call('EXISTS', record) == 0 then
    redis.call('HSET', record, unpack(run.fields))
    if redis.call('HEXISTS', record, 'cleanup') == 1 then
      redis.call('ZADD', 'jober:cleaning', expires, run.id)
      redis.call('PEXPIREAT', record, string.format('%.0f', expires + LEFT_S * 1000))
    else
      redis.call('PEXPIREAT', record, expires)
    end
    if #run.attempts > 0 then
      redis.call('RPUSH', 'jober:attempts:' .. run.id, unpack(run.attempts))
      redis.call('PEXPIREAT', 'jober:attempts:' .. run.id, expires)
    end
    if #run.result > 0 then
      redis.call('XADD', 'rq:results:' .. run.id, '*', unpack(run.result))
      redis.call('PEXPIREAT', 'rq:results:' .. run.id, expires)
    end
    redis.call('ZADD', (REGISTRY[run.status] or 'rq:failed:') .. run.queue, expires / 1000, run.id)
    redis.call('ZADD', KEYS[1], run.made, run.id)
    redis.call('ZADD', runs, run.made, run.id)
    if run.job ~= '_' and redis.call('EXISTS', 'jober:job:' .. run.job) == 0 then redis.call('PEXPIRE', runs, ARGV[2]) end
    if told[3] == '1' then
      local ended = redis.call('HMGET', record, 'state', 'target')
      keep_end(run.id, run.job, ended[2], ended[1], kept_ms / 1000)
    end
    -- As the end of a run does: the pruner is told of a list that has grown past its bound.
    if redis.call('ZCARD', runs) > math.floor((tonumber(told[2]) or 1000) * 1.1) then redis.call('SADD', KEYS[2], run.job) end
    written = written + 1
  end
end
return written
