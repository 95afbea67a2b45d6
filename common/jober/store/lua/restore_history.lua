-- RESTORE_HISTORY: what jobs were and what was decided of their fires, out of a backup. What is there
-- already is left alone.
-- KEYS  built: jober:former:<name>, jober:ledger:<name>, jober:job:<name> (looked at)
-- ARGV  1 msgpack list of {name, former (revision and spec in turn, in a list), ledger (list of {id,
--         fields in a list})}  2 ms that the history of a job is kept that is not there
-- Reply how many decisions were written
-- The jobs themselves are written after it (APPLY), which keeps their history for good.
local written = 0
for _, job in ipairs(cmsgpack.unpack(ARGV[1])) do
  local former, ledger = 'jober:former:' .. job.name, 'jober:ledger:' .. job.name
  for i = 1, #job.former, 2 do
    redis.call('HSETNX', former, job.former[i], job.former[i + 1])
  end
  -- Decisions stand in order, so older ones cannot be put before those that are there.
  if redis.call('EXISTS', ledger) == 0 then
    for _, decision in ipairs(job.ledger) do
      redis.call('XADD', ledger, decision[1], unpack(decision[2]))
      written = written + 1
    end
  end
  if redis.call('EXISTS', 'jober:job:' .. job.name) == 0 then
    redis.call('PEXPIRE', former, ARGV[2])
    redis.call('PEXPIRE', ledger, ARGV[2])
  end
end
return written
