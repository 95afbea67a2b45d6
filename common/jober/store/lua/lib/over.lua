-- Whether a job that is volatile is over: it will not fire again, no run of it waits or goes on, and no other
-- job names it.
-- One without a schedule is over after its first run; one that is paused is not over.
-- KEYS given: jober:due, jober:waiting  built: jober:job:<name>, jober:active:<name>, jober:runs:<name>,
--   jober:linked:<name>
local function is_over(name, due_key, waiting_key)
  local job = redis.call('HMGET', 'jober:job:' .. name, 'volatile', 'paused', 'schedule')
  return job[1] == '1' and job[2] ~= '1'
    and not redis.call('ZSCORE', due_key, name)
    and redis.call('SISMEMBER', waiting_key, name) == 0
    and redis.call('SCARD', 'jober:active:' .. name) == 0
    and redis.call('EXISTS', 'jober:linked:' .. name) == 0
    and (job[3] ~= '' or redis.call('EXISTS', 'jober:runs:' .. name) == 1)
end
