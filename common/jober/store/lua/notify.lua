-- NOTIFY: notices have been looked at: each is taken out of the stream, and what it comes to is queued, in
-- one step, so that nothing is told twice or not at all. Only the leader's.
-- KEYS  1 jober:leader  2 jober:notices  3 jober:deliveries  4 jober:delivering
--       built: jober:failing:<job>, jober:delivery:<id>
-- ARGV  1 token of the leader  2 msgpack list of {id of the notice, job, place, failing since (ms as text,
--         '' for no more), list of {id, receiver, fields}}  3 how many deliveries may wait  4 s that one is kept
-- Reply 'fenced' or how many were queued
-- A message waits for the one before it of the same job to the same receiver.
--#include time
--#include event
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 'fenced' end
local now, queued = now_ms(), 0
for _, notice in ipairs(cmsgpack.unpack(ARGV[2])) do
  local id, job, place, since, deliveries = unpack(notice)
  if redis.call('XDEL', KEYS[2], id) == 1 then
    local failing = 'jober:failing:' .. job
    if since == '' then
      redis.call('HDEL', failing, place)
    else
      redis.call('HSET', failing, place, since)
      redis.call('EXPIRE', failing, 31536000)
    end
    for _, delivery in ipairs(deliveries) do
      if redis.call('ZCARD', KEYS[3]) < tonumber(ARGV[3]) then
        local key, line = 'jober:delivery:' .. delivery[1], job .. ' ' .. delivery[2]
        redis.call('HSET', key, 'made_at', iso(now), 'attempt', 0, 'line', line, 'after',
          redis.call('HGET', KEYS[4], line) or '', unpack(delivery[3]))
        redis.call('EXPIRE', key, ARGV[4])
        redis.call('HSET', KEYS[4], line, delivery[1])
        redis.call('EXPIRE', KEYS[4], ARGV[4])
        redis.call('ZADD', KEYS[3], ms_text(now), delivery[1])
        queued = queued + 1
      else
        tell('notice.failed', now, { job = job, reason = 'too many messages wait already' })
      end
    end
  end
end
return queued
