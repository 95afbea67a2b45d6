-- OUT: frames of runs go to each run's log and to whoever follows it, in order and once.
-- KEYS  built: jober:out:<id>:log rq:job:<id>  channel: jober:out:<id>
-- ARGV  1 s that a log is kept at the most  2 msgpack list of {id, frames = list of {seq, stream,
--         at (ms), offset, data}, drop = list of seqs that the cap cuts out of the log, file = "<attempt>
--         <offset> <host> <path>" or absent: a line of the record's log_files, where it exists, attempt,
--         or absent: it is passed over where the record does not tell of that one}
-- Reply list of the last seq each log has by now
-- A frame that is in the log already is passed over, so a client may send twice.
local replies = {}
for i, out in ipairs(cmsgpack.unpack(ARGV[2])) do
  local is_over = out.attempt
    and redis.call('HGET', 'rq:job:' .. out.id, 'attempt') ~= tostring(out.attempt)
  if is_over then out.frames, out.drop, out.file = {}, nil, nil end
  local log = 'jober:out:' .. out.id .. ':log'
  local newest = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)
  local last = newest[1] and tonumber(string.match(newest[1][1], '^(%d+)')) or 0
  for _, frame in ipairs(out.frames) do
    local seq, stream, at, offset, data = unpack(frame)
    if seq > last then
      redis.call('XADD', log, string.format('%.0f-0', seq), 'stream', stream, 'at', string.format('%.0f', at),
        'offset', string.format('%.0f', offset), 'data', data)
      redis.call('PUBLISH', 'jober:out:' .. out.id, cmsgpack.pack({ 'frame', seq, stream, at, offset, data }))
      last = seq
    end
  end
  if out.drop and #out.drop > 0 then redis.call('XDEL', log, unpack(out.drop)) end
  redis.call('EXPIRE', log, ARGV[1])
  local record = 'rq:job:' .. out.id
  if out.file and redis.call('EXISTS', record) == 1 then
    local files = redis.call('HGET', record, 'log_files') or ''
    if not string.find('\n' .. files, '\n' .. out.file .. '\n', 1, true) then
      redis.call('HSET', record, 'log_files', files .. out.file .. '\n')
    end
  end
  replies[i] = last
end
return replies
