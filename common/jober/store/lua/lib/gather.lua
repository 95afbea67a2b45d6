-- Members that a script adds or removes one by one, sent as one command for each key at its end: a
-- command for each costs several times as much.
-- KEYS: whatever is gathered.
local gathered, order = {}, {}

-- The list of what is sent with the command to the key: members, for ZADD each after its score.
local function gathering(command, key)
  local of_key = gathered[key]
  if not of_key then
    of_key = {}
    gathered[key] = of_key
  end
  local list = of_key[command]
  if not list then
    list = {}
    of_key[command] = list
    order[#order + 1] = { command, key, list }
  end
  return list
end

local function gather(command, key, member)
  local list = gathering(command, key)
  list[#list + 1] = member
end

local function gather_score(key, score, member)
  local list = gathering('ZADD', key)
  list[#list + 1] = score
  list[#list + 1] = member
end

-- Send them, in the order in which their keys came first. What is gathered after is another round.
local function flush_gathered()
  for _, one in ipairs(order) do
    local command, key, list = one[1], one[2], one[3]
    for start = 1, #list, 1000 do
      redis.call(command, key, unpack(list, start, math.min(start + 999, #list)))
    end
  end
  gathered, order = {}, {}
end
