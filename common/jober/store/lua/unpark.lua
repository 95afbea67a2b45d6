-- UNPARK: runs that wait though a slot is free. A release puts the next run into its queue by itself;
-- where that one is withdrawn before an agent takes it, or a limit is raised, this finds the next.
-- Any node may run it.
-- KEYS  1 jober:parked  2 jober:limits
--       built: jober:job:<job>, jober:slots:<job>[@<host>], jober:limit:<limit>, rq:job:<id>, and those of
--       unpark_one
-- ARGV  1 cursor of HSCAN  2 at most so many runs
-- Reply {the next cursor, how many runs went back to their queues}
--#include time
--#include event
--#include queue
--#include park
-- How many slots are free in what the runs of a zset wait for; nil where it has no limit.
local function room(parked)
  local limit = string.match(parked, '^jober:limit:(.*):parked$')
  local job, host = string.match(parked, '^jober:parked:([^@]*)@?(.*)$')
  local slots, number
  if limit then
    slots, number = 'jober:limit:' .. limit, redis.call('HGET', KEYS[2], limit)
  else
    slots = 'jober:slots:' .. string.match(parked, '^jober:parked:(.*)$')
    number = redis.call('HGET', 'jober:job:' .. job, host == '' and 'fleet_limit' or 'host_limit')
  end
  number = tonumber(number or '')
  return number and number - redis.call('ZCARD', slots)
end

local moved, most = 0, tonumber(ARGV[2])
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', 100)
for i = 1, #page[2], 2 do
  local parked, last = page[2][i], page[2][i + 1]
  -- The one before has its slot to come.
  if last == '' or redis.call('HGET', 'rq:job:' .. last, 'state') ~= 'queued' then
    local free = room(parked) or most
    while free > 0 and moved < most and unpark_one(parked) do
      free, moved = free - 1, moved + 1
    end
  end
end
return { page[1], moved }
