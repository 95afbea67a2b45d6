-- The newest runs of a job that others come after.
-- KEYS built: jober:job:<job>, jober:runs:<job>, jober:kept:<job>, rq:job:<id>

-- Whether a job runs on several hosts at once, by its policy (JSON).
local function on_several(policy)
  return policy and cjson.decode(policy).on ~= 'any'
end

-- The ids of the newest runs, but for those of fires after `at` (ISO text, or nil) where there are others:
-- one; of a job that runs on several hosts the newest on each, back to the newest time that it was run on
-- them together.
local function newest_runs(job, several, at)
  local found, seen, together = {}, {}, nil
  local ids = redis.call('ZREVRANGE', 'jober:runs:' .. job, 0, several and 4999 or 999, 'WITHSCORES')
  for i = 1, #ids, 2 do
    local run = redis.call('HMGET', 'rq:job:' .. ids[i], 'state', 'target', 'fire_at', 'trigger')
    local moment = ids[i + 1] .. ' ' .. (run[3] or '')
    if together and moment ~= together then break end
    if run[1] and not (at and run[3] and run[3] > at) then
      if not several then return { ids[i] } end
      if not seen[run[2]] then
        seen[run[2]] = true
        found[#found + 1] = ids[i]
      end
      local next = ids[i + 2] and redis.call('HGET', 'rq:job:' .. ids[i + 2], 'fire_at')
      if run[4] == 'schedule' or ids[i + 3] == ids[i + 1] and next == run[3] then together = moment end
    end
  end
  if at and #found == 0 then return newest_runs(job, several) end
  return found
end

-- The newest success of a job, {id, ended_at}, on a host where it runs on several; {} where none is known.
local function last_success(job, host)
  local newest = {}
  local kept = redis.call('HGETALL', 'jober:kept:' .. job)
  for i = 1, #kept, 2 do
    local place, on = string.match(kept[i], '^(%a+)@?(.*)$')
    if place == 'success' and (not host or on == host) then
      local ended_at = redis.call('HGET', 'rq:job:' .. kept[i + 1], 'ended_at')
      if ended_at and ended_at > (newest[2] or '') then newest = { kept[i + 1], ended_at } end
    end
  end
  return newest
end
