-- End the sessions of a user, all but one ('' for none). How many there were.
-- KEYS built: jober:sessions:<user>, jober:session:<hash>
local function end_sessions(user, kept)
  local list, ended = 'jober:sessions:' .. user, 0
  for _, hash in ipairs(redis.call('ZRANGE', list, 0, -1)) do
    if hash ~= kept then
      ended = ended + redis.call('DEL', 'jober:session:' .. hash)
      redis.call('ZREM', list, hash)
    end
  end
  return ended
end
