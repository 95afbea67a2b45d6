-- OVER: the volatile jobs that are over; APPLY removes them.
-- KEYS  1 jober:volatile  2 jober:due  3 jober:waiting  built: those of is_over
-- Reply names
--#include over
local over = {}
for _, name in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if is_over(name, KEYS[2], KEYS[3]) then over[#over + 1] = name end
end
return over
