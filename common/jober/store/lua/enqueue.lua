-- ENQUEUE: runs by hand. They wait for a slot of their job as every other, and are never skipped.
-- KEYS  1 jober:job:<name>
--       built: those of write_run
-- ARGV  1 name  2 msgpack list of {id, may_move, and what stands in for the job's own: host, data,
--         description, expires (ms)}
--       3 hosts that the job ran on, the latest last (or '': as it is)
-- Reply 1, or 0 if there is no such job
--#include time
--#include event
--#include queue
--#include run
local job = read_job(KEYS[1])
if not job then return 0 end
local now = now_ms()
for _, run in ipairs(cmsgpack.unpack(ARGV[2])) do
  if list_run(run.id, ARGV[1], now) then
    run.trigger = 'manual'
    write_run(run.id, ARGV[1], job, run)
  end
end
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'placed', ARGV[3]) end
flush_runs()
return 1
