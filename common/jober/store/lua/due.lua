-- DUE: the jobs that are due up to a moment, soonest first, and when the next one after is.
-- KEYS  1 jober:due
--       built: jober:job:<name>
-- ARGV  1 moment in ms  2 at most so many
-- Reply {now in ms, list of {name, due in ms, revision, cursor, floor, anchor}}
--#include time
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local jobs = {}
for i = 1, #found, 2 do
  local fields = redis.call('HMGET', 'jober:job:' .. found[i], 'revision', 'cursor', 'floor', 'anchor')
  if fields[1] then
    jobs[#jobs + 1] = { found[i], found[i + 1], fields[1], fields[2], fields[3], fields[4] }
  else
    redis.call('ZREM', KEYS[1], found[i])
  end
end
return { now_ms(), jobs }
