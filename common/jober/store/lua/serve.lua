-- SERVE: keep services alive. Only the leader's, and only where a place is still as the leader saw it:
-- so that a place never has two runs, whoever decides, and however often this is sent.
-- KEYS  1 jober:leader
--       built: jober:job:<name>, jober:service:<name>, rq:job:<id>, and those of write_run and cancel_run
-- ARGV  1 token of the leader  2 msgpack list of {job, revision (text), place, before (what was known of
--         it), after (or false: nothing), start {id, host, may_move, order (or none)} or false, stop (reason) or false,
--         run (the one to stop, or that must have ended), event (or false), facts}
--       3 s that a finished run is kept  4 traceback of a stopped run, as RQ reads it
-- Reply {'fenced', token of the leader} or {'ok', list of 'done' | 'stale'}
--#include time
--#include event
--#include queue
--#include park
--#include run
--#include gather
--#include finish
--#include cancel
local leader = redis.call('GET', KEYS[1]) or ''
if leader ~= ARGV[1] then return { 'fenced', leader } end
local now = now_ms()
local term = string.match(ARGV[1], '^%d+')
local LIVE = { waiting = true, queued = true, parked = true, delayed = true, reserved = true, running = true }

local function carry_out(action)
  local key = 'jober:service:' .. action.job
  local job = read_job('jober:job:' .. action.job)
  if not job or job[REVISION] ~= action.revision or job[PAUSED] == '1' then return 'stale' end
  if (redis.call('HGET', key, action.place) or '') ~= action.before then return 'stale' end
  if action.start then
    if LIVE[redis.call('HGET', 'rq:job:' .. action.run, 'state')] then return 'stale' end
    local start = action.start
    local host = start.host or nil
    list_run(start.id, action.job, now)
    write_run(start.id, action.job, job,
      { trigger = 'service', term = term, host = host, may_move = start.may_move, order = start.order })
  end
  if action.stop then cancel_run(action.run, action.stop, ARGV[4], now, tonumber(ARGV[3])) end
  if action.after then
    redis.call('HSET', key, action.place, action.after)
  else
    redis.call('HDEL', key, action.place)
  end
  if action.event then
    action.facts.job = action.job
    tell(action.event, now, action.facts)
  end
  return 'done'
end

local results = {}
for i, action in ipairs(cmsgpack.unpack(ARGV[2])) do results[i] = carry_out(action) end
flush_runs()
return { 'ok', results }
