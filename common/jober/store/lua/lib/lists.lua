-- The lists that a job stands in beside jober:jobs, so that those of a tag, or of a role, are found among many.
-- KEYS built: jober:jobs:<list>

-- It stands in the lists `now` (JSON, as in its record) and in none of `before` that is not among them.
local function list_job(name, before, now)
  for _, list in ipairs(before and before ~= '' and cjson.decode(before) or {}) do
    redis.call('ZREM', 'jober:jobs:' .. list, name)
  end
  for _, list in ipairs(now and cjson.decode(now) or {}) do
    redis.call('ZADD', 'jober:jobs:' .. list, 0, name)
  end
end

-- It stands among the paused ones, or not.
local function list_paused(name, paused)
  if paused then
    redis.call('ZADD', 'jober:jobs:' .. 'paused', 0, name)
  else
    redis.call('ZREM', 'jober:jobs:' .. 'paused', name)
  end
end
