-- FIND: some names of jobs, in alphabetical order, among those of a list; it looks at a bounded number of them,
-- and changes nothing.
-- KEYS  1 jober:jobs, or jober:jobs:<list>, where they are looked for, and others that they stand in, each of them;
--       then those of which they stand in one, where there are any
-- ARGV  1 the name after which to begin, or ''  2 how many are wanted  3 how many are looked at, at the most
--       4 what their names contain, in lower case, or ''  5 key of a list that they do not stand in, or ''
--       6 of how many keys they stand in each
-- Reply {list of names, the last name looked at, or '' where there are no more}
local after, wanted, word, without = ARGV[1], tonumber(ARGV[2]), ARGV[4], ARGV[5]
local each = tonumber(ARGV[6])
local names = redis.call('ZRANGEBYLEX', KEYS[1], after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, ARGV[3])

local function fits(name)
  if word ~= '' and not string.find(string.lower(name), word, 1, true) then return false end
  for place = 2, each do
    if not redis.call('ZSCORE', KEYS[place], name) then return false end
  end
  if without ~= '' and redis.call('ZSCORE', without, name) then return false end
  for place = each + 1, #KEYS do
    if redis.call('ZSCORE', KEYS[place], name) then return true end
  end
  return #KEYS == each
end

local found = {}
for _, name in ipairs(names) do
  if fits(name) then
    found[#found + 1] = name
    if #found == wanted then return { found, name } end
  end
end
return { found, #names == tonumber(ARGV[3]) and names[#names] or '' }
