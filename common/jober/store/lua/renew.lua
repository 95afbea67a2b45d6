-- RENEW: the heartbeat of an agent, and the leases of all it runs or has still to report.
-- KEYS  1 jober:leases  2 jober:agents  3 jober:agent:<agent>  4 jober:agent:<agent>:runs
--       5 rq:worker:<agent>  6 jober:cordoned  7 jober:roles
--       built: rq:job:<id>, and those of requeue, release_attempt and unpark
-- ARGV  1 agent  2 lease in ms  3 ms after which a claim it does not know of goes back
--       4 msgpack map of the agent's changing fields (running, load, state, problem)
--       5 s that a finished run is kept  6 traceback of what ends, as RQ reads it
--       7.. the leases it holds, <id>:<attempt>
-- Reply {now in ms, list of lost leases, list of {lease to cancel, reason}, 1 if the agent is registered,
--       what is ordered of its host, as of JOIN}
--   lost: another holds it by now, or it is over; what still runs of it must be stopped.
--#include time
--#include event
--#include queue
--#include park
--#include gather
--#include release
--#include finish
--#include requeue
--#include orders
local now = now_ms()
if redis.call('EXISTS', KEYS[3]) == 0 then return { now, {}, {}, 0, { 0, '' } } end
local agent, lease_ms = ARGV[1], tonumber(ARGV[2])
local fields = {}
local told = cmsgpack.unpack(ARGV[4])
local known = redis.call('HMGET', KEYS[3], 'host', 'problem')
local orders = orders_of(KEYS[6], KEYS[7], known[1] or '')
if told.problem and told.problem ~= '' and told.problem ~= known[2] then
  tell('agent.problem', now, { agent = agent, host = known[1], reason = told.problem })
end
told.state = state_under(orders, told.state)
for name, value in pairs(told) do
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
redis.call('HSET', KEYS[3], 'seen_at', iso(now), unpack(fields))
redis.call('PEXPIRE', KEYS[3], lease_ms * 6)
redis.call('ZADD', KEYS[2], now + lease_ms, agent)
redis.call('HSET', KEYS[5], 'last_heartbeat', iso(now), 'state', #ARGV > 6 and 'busy' or 'idle')
redis.call('PEXPIRE', KEYS[5], lease_ms * 6)
redis.call('PEXPIRE', KEYS[4], lease_ms * 60)

local lost, cancel, held = {}, {}, {}
for i = 7, #ARGV do
  local lease = ARGV[i]
  held[lease] = true
  local id, attempt = string.match(lease, '^(.*):(%d+)$')
  local run = redis.call('HMGET', 'rq:job:' .. id, 'state', 'attempt', 'cancel_requested',
    'job', 'host', 'origin', 'limits', 'agent')
  -- A Redis that has lost its last second may have given the same attempt to another agent.
  if (run[1] == 'running' or run[1] == 'reserved') and run[2] == attempt and run[8] == agent then
    local member = lease_member(lease, run[4] or '', run[5], agent, run[7] or '', run[6])
    redis.call('ZADD', KEYS[1], now + lease_ms, member)
    if not run[4] then redis.call('HSET', 'rq:job:' .. id, 'last_heartbeat', iso(now)) end
    if run[3] then cancel[#cancel + 1] = { lease, run[3] } end
  else
    lost[#lost + 1] = lease
  end
end

-- What was claimed for the agent, and it does not know yet: the reply may be on its way. Until it is
-- certain that it never comes, nobody gives the run up.
local certain = now - tonumber(ARGV[3])
for _, lease in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], string.format('(%.0f', certain), '+inf')) do
  if not held[lease] then
    local id = string.match(lease, '^(.*):%d+$')
    local run = redis.call('HMGET', 'rq:job:' .. id, 'job', 'host', 'origin', 'limits')
    redis.call('ZADD', KEYS[1], 'XX', now + lease_ms,
      lease_member(lease, run[1] or '', run[2] or '', agent, run[4] or '', run[3] or ''))
  end
end

-- What was claimed for the agent and never reached it: back to the front of its queue. The number of the attempt
-- is used up, as is that of any which may have begun.
for _, lease in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now - tonumber(ARGV[3]))) do
  if not held[lease] then
    local id, attempt = string.match(lease, '^(.*):(%d+)$')
    local run = redis.call('HMGET', 'rq:job:' .. id, 'state', 'attempt', 'job', 'host', 'origin', 'limits', 'target',
      'cancel_requested', 'expires_at', 'refused', 'agent')
    release_attempt(lease, run[3] or '', run[4] or '', agent, run[6] or '', run[5] or '')
    if (run[1] == 'running' or run[1] == 'reserved') and run[2] == attempt and run[11] == agent then
      requeue(id, { job = run[3] or '', target = run[7] or '', queue = run[5], agent = agent, stop_reason = run[8] },
        attempt, is_first_to_begin(attempt, run[10]) and run[9], true, ARGV[6], now, tonumber(ARGV[5]))
    end
    unpark(run[3] or '', run[4] or '', run[6] or '')
  end
end
flush_ends(now)
return { now, lost, cancel, 1, orders }
