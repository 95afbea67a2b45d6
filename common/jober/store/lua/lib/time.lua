-- The clock of every script is Redis TIME.
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- A moment in ms as text, the last one without a further thought.
local last_ms, last_text
local function ms_text(ms)
  if ms ~= last_ms then last_ms, last_text = ms, string.format('%.0f', ms) end
  return last_text
end

-- Milliseconds since the epoch as RQ writes them: 2026-11-21T03:00:00.123000Z
-- (days to a civil date: Howard Hinnant, chrono-compatible low-level date algorithms).
local iso_of = {}
local function iso(ms)
  local known = iso_of[ms]
  if known then return known end
  local seconds = math.floor(ms / 1000)
  local z = math.floor(seconds / 86400) + 719468
  local rest = seconds % 86400
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local day = doy - math.floor((153 * mp + 2) / 5) + 1
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  local text = string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03d000Z', year, month, day,
    math.floor(rest / 3600), math.floor(rest % 3600 / 60), rest % 60, ms % 1000)
  iso_of[ms] = text
  return text
end
