-- RESIGN: give the lead back at once, if it is still ours.
-- KEYS  1 jober:leader
-- ARGV  1 token
-- Reply 1 if it was ours, else 0
--#include time
--#include event
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
tell('leader.resigned', now_ms(), { node = string.sub(ARGV[1], string.find(ARGV[1], ':', 1, true) + 1) })
return 1
