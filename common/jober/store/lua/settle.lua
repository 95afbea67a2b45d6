-- SETTLE: what was decided of runs that wait for others. Only where nobody has settled on other runs for
-- them meanwhile, and they wait still: so it does no harm to decide twice, or to send it twice.
-- KEYS  1 jober:needing
--       built: rq:job:<id>, rq:queue:<queue>, jober:bell:<queue>, rq:queues, and those of hold, leave_needing,
--       announce and write_end
-- ARGV  1 msgpack list of {id, seen (what was settled on, as NEEDING told it), what = 'wait' | 'ready' |
--         'skip' | 'fail', settled (JSON), told (what it waits for, or why it ends), again_ms, and where
--         there are such: data, description (with the results in place), order (signed, of the run with these;
--         empty for none), blocked_by, fresh (the id of the
--         run whose result it takes over)}
--       2 s that a finished run is kept  3 traceback of a failed run, as RQ reads it
-- Reply list of 'done' | 'stale'
--#include time
--#include event
--#include queue
--#include run
--#include gather
--#include finish
local now, keep_s = now_ms(), tonumber(ARGV[2])

-- Keep the runs that were not settled on before.
local function settle_on(id, record, seen, settled)
  if settled == seen then return end
  redis.call('HSET', record, 'needed', settled)
  local before = {}
  each_settled(seen, function(one) before[one] = true end)
  each_settled(settled, function(one)
    if not before[one] then hold(one) end
  end)
end

local function settle(one)
  local id, record = one.id, 'rq:job:' .. one.id
  local run = redis.call('HMGET', record, 'state', 'needed', 'job', 'target', 'origin', 'fallback')
  if run[1] ~= 'waiting' or (run[2] or '') ~= one.seen then return 'stale' end
  settle_on(id, record, one.seen, one.settled)
  if one.what == 'wait' then
    redis.call('HSET', record, 'waits_for', one.told)
    redis.call('ZADD', KEYS[1], 'XX', string.format('%.0f', now + one.again_ms), id)
    return 'done'
  end
  leave_needing(id, keep_s)
  if one.what == 'ready' then
    redis.call('HSET', record, 'state', 'queued', 'status', 'queued', 'enqueued_at', iso(now))
    if one.order and one.order ~= '' then -- what was signed stays beside what was made of it
      redis.call('HSET', record, 'template', redis.call('HGET', record, 'data'), 'order', one.order)
    end
    if one.data then redis.call('HSET', record, 'data', one.data, 'description', one.description) end
    if run[6] then
      redis.call('HSET', record, 'fallback', string.format('%.0f', now + PREFERRED_MS) ..
        string.match(run[6], '^%d+( .*)$'))
    end
    announce(run[5])
    push(run[5], id)
    tell('run.queued', now, { run = id, job = run[3], queue = run[5] })
    return 'done'
  end
  redis.call('ZREM', 'jober:expiring', id)
  local outcome = { state = 'skipped', reason = one.told }
  if one.what == 'fail' then
    outcome.state, outcome.rq_traceback = 'failed', ARGV[3]
  elseif one.blocked_by then
    redis.call('HSET', record, 'blocked_by', one.blocked_by)
  elseif one.fresh then
    outcome.result = redis.call('HGET', 'rq:job:' .. one.fresh, 'return_value') or nil
  end
  write_end(id, { job = run[3], target = run[4], queue = run[5], agent = '' }, outcome, now, keep_s)
  return 'done'
end

local replies = {}
for i, one in ipairs(cmsgpack.unpack(ARGV[1])) do replies[i] = settle(one) end
flush_ends(now)
return replies
