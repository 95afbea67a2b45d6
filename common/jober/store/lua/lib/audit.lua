-- Note who did what in the audit log (the last ~50,000 lines).
-- KEYS built: jober:audit
-- told: a list of names and values in turn, as who, via, from, action, object, outcome, detail
local function note_done(told)
  redis.call('XADD', 'jober:audit', 'MAXLEN', '~', 50000, '*', unpack(told))
end
