-- ENDED: runs that have ended and that something may come after, the oldest first.
-- KEYS  1 jober:ended
--       built: rq:job:<id>, jober:job:<job>
-- ARGV  1 at most so many
-- Reply list of {id, job, state, list of jobs to start (names with a comma between, by how it ended)}
local found = {}
for i, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[1]) - 1)) do
  local run = redis.call('HMGET', 'rq:job:' .. id, 'job', 'state')
  local starts = redis.call('HMGET', 'jober:job:' .. (run[1] or ''), 'on_success', 'on_failure')
  found[i] = { id, run[1] or '', run[2] or '', starts[1] or '', starts[2] or '' }
end
return found
