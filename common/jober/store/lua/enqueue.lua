-- ENQUEUE: runs by hand. They wait for a slot of their job as every other, and are never skipped. A run
-- that has its own queue needs no job: all that is to be done is told with it.
-- KEYS  1 jober:job:<name>
--       built: those of write_run, jober:owners, jober:owned:<owner>
-- ARGV  1 name ('_' for runs without a job)  2 msgpack list of {id, may_move, and what stands in for the
--         job's own: host, queue, data, options, description, timeout, expires (ms); what is kept beside it:
--         spec, arguments; and call: what tells this call apart, where the id may be that of another run}
--       3 hosts that the job ran on, the latest last (or '': as it is)
--       4 owner of the runs, or ''
-- Reply 1, or 0 if there is no such job, or the id of a run that is there already; nothing is written then
--#include time
--#include event
--#include queue
--#include run
local job, name, owner = read_job(KEYS[1]), ARGV[1], ARGV[4]
local runs = cmsgpack.unpack(ARGV[2])
for _, run in ipairs(runs) do
  if not (job or run.queue) then return 0 end
  local record = 'rq:job:' .. run.id
  if run.call and redis.call('EXISTS', record) == 1 and redis.call('HGET', record, 'call') ~= run.call then
    return run.id
  end
end

-- Note whose runs they are. Of those that are noted, some are looked at each time, and dropped where they
-- have ended, so that there are never many more than go on.
local function own(new)
  local owned = 'jober:owned:' .. owner
  redis.call('SADD', 'jober:owners', owner)
  for _, id in ipairs(redis.call('SRANDMEMBER', owned, 2 * #new)) do
    local record = 'rq:job:' .. id
    if redis.call('EXISTS', record) == 0 or redis.call('HEXISTS', record, 'ended_at') == 1 then
      redis.call('SREM', owned, id)
    end
  end
  for _, id in ipairs(new) do redis.call('SADD', owned, id) end
end

local now = now_ms()
local new = {}
for _, run in ipairs(runs) do
  if list_run(run.id, name, now) then
    run.trigger = 'manual'
    write_run(run.id, name, job or {}, run)
    for _, field in ipairs({ 'spec', 'arguments', 'call' }) do
      if run[field] then redis.call('HSET', 'rq:job:' .. run.id, field, run[field]) end
    end
    new[#new + 1] = run.id
  end
end
if owner ~= '' and #new > 0 then own(new) end
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'placed', ARGV[3]) end
flush_runs()
return 1
