-- What jobs say of one another, as it will be once changes are written.
-- KEYS built: jober:job:<name>, jober:linked:<name>, and those of forget_kept
local function names_of(text) return string.gmatch(text or '', '[^, ]+') end

-- Of each job {before, starts (names with a comma between), service}, or false where there is none; those that
-- are `changed` as they will be, the others as they are.
local links, changed = {}, {}

local function will_link(name, fields)
  changed[name] = true
  links[name] = fields and { before = fields.before, service = fields.service ~= '',
    starts = fields.on_success .. ',' .. fields.on_failure }
end

local function links_at(name)
  local known = links[name]
  if known == nil then
    local job = redis.call('HMGET', 'jober:job:' .. name, 'before', 'on_success', 'on_failure', 'service',
      'revision')
    known = job[5] and { before = job[1] or '', starts = (job[2] or '') .. ',' .. (job[3] or ''),
      service = (job[4] or '') ~= '' }
    links[name] = known
  end
  return known
end

local function names(text, name)
  for one in names_of(text) do
    if one == name then return true end
  end
  return false
end

-- The jobs that will name one: before of those that come after it, starts of those that start it.
local named_in
local function that_name(name, field)
  if not named_in then
    named_in = { before = {}, starts = {} }
    for other in pairs(changed) do
      for kind, by in pairs(named_in) do
        for one in names_of(links[other] and links[other][kind]) do
          by[one] = by[one] or {}
          table.insert(by[one], other)
        end
      end
    end
  end
  local found = {}
  for _, other in ipairs(named_in[field][name] or {}) do found[#found + 1] = other end
  for _, other in ipairs(redis.call('SMEMBERS', 'jober:linked:' .. name)) do
    if not changed[other] and links_at(other) and names(links_at(other)[field], name) then
      found[#found + 1] = other
    end
  end
  return found
end

local function right_after(name)
  local found = that_name(name, 'before')
  for one in names_of(links_at(name) and links_at(name).starts) do found[#found + 1] = one end
  return found
end

-- A loop that goes through a job, from it round to itself; nil where there is none.
local function loop_through(start, done)
  local path, rests, on_path = { start }, { right_after(start) }, { [start] = true }
  while #path > 0 do
    local following = table.remove(rests[#rests])
    if not following then
      local last = table.remove(path)
      table.remove(rests)
      on_path[last] = nil
      done[last] = true
    elseif on_path[following] then
      while path[1] ~= following do table.remove(path, 1) end
      path[#path + 1] = following
      return path
    elseif not done[following] then
      path[#path + 1] = following
      rests[#rests + 1] = right_after(following)
      on_path[following] = true
    end
  end
end

-- What is wrong with the links of the changed jobs, or nil.
local function wrong_link()
  local done = {}
  for name in pairs(changed) do
    local own = links[name]
    for one in names_of(own and own.before .. ',' .. own.starts) do
      if not links_at(one) then return { 'no job', name, one } end
      if links_at(one).service then return { 'service', name, one } end
    end
    if not own or own.service then
      for _, field in ipairs({ 'before', 'starts' }) do
        local by = that_name(name, field)[1]
        if by then return { own and 'service' or 'job in use', own and by or name, own and name or by } end
      end
    end
  end
  for name in pairs(changed) do
    local own = links[name]
    if own and (own.before ~= '' or own.starts ~= ',') and not done[name] then
      local loop = loop_through(name, done)
      if loop then return { 'loop', unpack(loop) } end
    end
  end
end

-- The same, written: who names whom, and which jobs others come after. old: what the job said before, or nil.
local touched = {}
local function relink(name, old, fields)
  local function each(of, command)
    for one in names_of(of and of.before .. ',' .. of.on_success .. ',' .. of.on_failure) do
      redis.call(command, 'jober:linked:' .. one, name)
      touched[one] = true
    end
  end
  each(old, 'SREM')
  each(fields, 'SADD')
  if old and old.noted ~= '' or not fields or fields.noted ~= '' then touched[name] = true end
end

local function write_upstream(ttl)
  for name in pairs(touched) do
    local key = 'jober:job:' .. name
    local noted = redis.call('HGET', key, 'noted')
    if noted and (noted ~= '' or #that_name(name, 'before') > 0) then
      redis.call('HSET', key, 'upstream', '1')
    else
      redis.call('HDEL', key, 'upstream')
      forget_kept(name, ttl)
    end
  end
end
