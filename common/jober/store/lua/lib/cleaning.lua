-- Runs of jobs that clean up after them: Redis does not forget these by itself, the leader does (LAPSE).
-- KEYS built: jober:cleaning, rq:job:<id>
--#include time
-- Where nobody leads for so long, they go as all others.
local LEFT_S = 2592000

local any_cleaning
local last_ttl, last_ttl_text
-- Have the record of a run that has ended forgotten, so many s from now.
local function expire_record(id, ttl)
  if any_cleaning == nil then any_cleaning = redis.call('EXISTS', 'jober:cleaning') == 1 end
  if any_cleaning and redis.call('ZSCORE', 'jober:cleaning', id) then
    redis.call('ZADD', 'jober:cleaning', string.format('%.0f', now_ms() + ttl * 1000), id)
    ttl = ttl + LEFT_S
  end
  if ttl ~= last_ttl then last_ttl, last_ttl_text = ttl, string.format('%.0f', ttl) end
  redis.call('EXPIRE', 'rq:job:' .. id, last_ttl_text)
end

-- A run is to be cleaned up after, as the text says, once it has ended and is forgotten.
local function note_cleanup(id, text)
  redis.call('HSET', 'rq:job:' .. id, 'cleanup', text)
  redis.call('ZADD', 'jober:cleaning', '+inf', id)
  any_cleaning = true
end
