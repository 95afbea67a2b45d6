-- DUE: the jobs that are due up to a moment, soonest first, with all that planning needs.
-- KEYS  1 jober:due  2 jober:calendars:revision
--       built: jober:job:<name>
-- ARGV  1 moment in ms  2 at most so many
-- Reply {revision of the calendars, list of {name, due in ms, revision, cursor, floor, anchor, fires, told, schedule, policy,
--   placed}}
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local jobs = {}
for i = 1, #found, 2 do
  local fields = redis.call('HMGET', 'jober:job:' .. found[i],
    'revision', 'cursor', 'floor', 'anchor', 'fires', 'told', 'schedule', 'policy',
    'placed')
  if fields[1] then
    jobs[#jobs + 1] = { found[i], found[i + 1], unpack(fields, 1, 9) }
  else
    redis.call('ZREM', KEYS[1], found[i])
  end
end
return { redis.call('GET', KEYS[2]) or '0', jobs }
