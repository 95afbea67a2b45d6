-- TRY: somebody is about to try a password. It counts before it is looked at, so that many at once are not more
-- than many one after another; what turns out to be right is taken back (SESSION OPEN).
-- KEYS  jober:tries:<hash> of each that counts
-- ARGV  for each: how many there may be, and in how many ms
-- Reply 0 if it may be tried, or in how many ms it may be tried again. Sent twice, it counts twice.
local wait = 0
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[2 * i - 1]) then
    wait = math.max(wait, redis.call('PTTL', key), 1)
  end
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, ARGV[2 * i]) end
end
return 0
