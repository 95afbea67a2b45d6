-- ENQUEUE: runs by hand, of one job or of several, all of them or none. They wait for a slot of their job
-- as every other, and are never skipped for one that is still going. A run that has its own queue needs no job:
-- all that is to be done is told with it.
-- With a key, what was made by it before is told, and nothing is made again.
-- KEYS  built: jober:job:<name>, jober:owners, jober:owned:<owner>, jober:once:<key>, and those of enqueue_runs
-- ARGV  1 msgpack list of {name ('_' for runs without a job), list of runs {id, may_move, asked (for its host, by
--         name: its order says so), needed, and what stands in for the job's own: host, queue, data, options,
--         description, timeout, expires (ms), waits; what is kept beside it: spec, arguments; and call: what tells this call apart, where the id may be
--         that of another run}, hosts that the job ran on, the latest last (or '': as it is)}
--       2 owner of the runs, or ''
--       3 key, or ''  4 what tells what is asked for by it from all else  5 s that it is known
--       6… ids of the runs that it stands for
-- Reply {'ok'}, {'made', ids that were made by the key before, …}, or and nothing is written, {'other'} where the
--   key was for something else, {'no job', name} or {'exists', id of a run that is there already}; nothing is written then
--#include time
--#include event
--#include queue
--#include run
local now, batch, owner, jobs = now_ms(), cmsgpack.unpack(ARGV[1]), ARGV[2], {}
local once = ARGV[3] ~= '' and 'jober:once:' .. ARGV[3]
local before = once and redis.call('LRANGE', once, 0, -1) or {}
if before[1] then
  if before[1] ~= ARGV[4] then return { 'other' } end
  return { 'made', unpack(before, 2) }
end
for i, of_job in ipairs(batch) do
  jobs[i] = read_job('jober:job:' .. of_job[1])
  for _, run in ipairs(of_job[2]) do
    if not (jobs[i] or run.queue) then return { 'no job', of_job[1] } end
    local record = 'rq:job:' .. run.id
    if run.call and redis.call('EXISTS', record) == 1 and redis.call('HGET', record, 'call') ~= run.call then
      return { 'exists', run.id }
    end
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

for i, of_job in ipairs(batch) do
  local name, runs, placed = unpack(of_job)
  for _, run in ipairs(runs) do run.trigger = 'manual' end
  local new = enqueue_runs(name, jobs[i] or {}, runs, placed, now)
  if owner ~= '' and #new > 0 then own(new) end
end
flush_runs()
if once then
  redis.call('RPUSH', once, unpack(ARGV, 4, 4))
  redis.call('RPUSH', once, unpack(ARGV, 6))
  redis.call('EXPIRE', once, ARGV[5])
end
return { 'ok' }
