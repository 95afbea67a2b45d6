-- ENQUEUE: runs by hand. They wait for a slot of their job as every other, and are never skipped.
-- KEYS  1 jober:job:<name>
--       built: those of write_run
-- ARGV  1 name  2 msgpack list of {id, host (or false), data (or false), description (or false)}
-- Reply 1, or 0 if there is no such job
--#include time
--#include event
--#include queue
--#include run
local job = read_job(ARGV[1])
if not job then return 0 end
local now = now_ms()
for _, run in ipairs(cmsgpack.unpack(ARGV[2])) do
  if redis.call('EXISTS', 'rq:job:' .. run.id) == 0 then
    run.trigger = 'manual'
    write_run(run.id, ARGV[1], job, run, now)
  end
end
flush_runs()
return 1
