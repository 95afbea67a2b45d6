-- STRAY: runs that wait in the queues of hosts. One that may go to other hosts goes to the queue of its
-- roles where its host takes no runs, or has not taken it in time; one that is bound to a host that
-- takes none is missed when its time is over. Any node may run it.
-- KEYS  1 rq:queues  2 jober:agents
--       built: jober:agent:<agent>, rq:job:<id>, rq:queue:<queue>, jober:bell:<queue>, and those of miss
-- ARGV  1 at most so many of each queue  2 s that a finished run is kept  3 run_id of the server that this is
--         for, or '' for any: the agents of another one have not renewed themselves yet
-- Reply {list of the ids that went elsewhere, list of those that were missed}
--#include time
--#include event
--#include queue
--#include gather
--#include finish
--#include expire
local now = now_ms()
local moved, missed = {}, {}
local state_of

-- What the agents of a host are, one that is up before any other; nil where there is none.
local function host_state(host)
  if not state_of then
    state_of = {}
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.0f', now), '+inf')) do
      local agent = redis.call('HMGET', 'jober:agent:' .. id, 'host', 'state')
      if agent[1] and state_of[agent[1]] ~= 'up' then state_of[agent[1]] = agent[2] end
    end
  end
  return state_of[host]
end

local function look(queue, host, id)
  local record = 'rq:job:' .. id
  local run = redis.call('HMGET', record, 'status', 'job', 'target', 'fallback', 'bound_until')
  if run[1] ~= 'queued' then return end
  local state = host_state(host)
  if run[4] then
    local until_ms, other = string.match(run[4], '^(%d+) (.*)$')
    if state == 'up' and now < tonumber(until_ms) then return end
    redis.call('LREM', 'rq:queue:' .. queue, 1, id)
    redis.call('HSET', record, 'origin', other)
    redis.call('HDEL', record, 'fallback')
    redis.call('SADD', KEYS[1], 'rq:queue:' .. other)
    push(other, id)
    moved[#moved + 1] = id
  elseif run[5] and state ~= 'up' and now >= tonumber(run[5]) then
    redis.call('LREM', 'rq:queue:' .. queue, 1, id)
    miss(id, { job = run[2] or '', target = run[3] or '', queue = queue }, run[5], now, tonumber(ARGV[2]),
      ', and host ' .. host .. (state and ' is ' .. state or ' has no live agent'))
    missed[#missed + 1] = id
  end
end

if not string.find(redis.call('INFO', 'server'), ARGV[3], 1, true) then return { {}, {} } end
for _, key in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local queue = string.sub(key, 10)
  if string.sub(queue, 1, 1) == '@' then
    local host = string.gsub(string.sub(queue, 2), '%^%d$', '')
    for _, id in ipairs(redis.call('LRANGE', key, 0, tonumber(ARGV[1]) - 1)) do
      look(queue, host, id)
    end
  end
end
flush_ends(now)
return { moved, missed }
