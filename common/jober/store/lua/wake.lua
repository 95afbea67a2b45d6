-- WAKE: jobs that wait for a host are due to be planned anew, since one may have come.
-- KEYS  1 jober:waiting  2 jober:due  3 jober:jobs
-- ARGV  1 at most so many
-- Reply how many
-- A job that still has no host is put back into the set by its next FIRE.
local names = redis.call('SPOP', KEYS[1], ARGV[1])
for _, name in ipairs(names) do
  if redis.call('ZSCORE', KEYS[3], name) then redis.call('ZADD', KEYS[2], 0, name) end
end
return #names
