-- CANCEL: runs that wait end at once; those that run are asked to stop, and their agents told.
-- KEYS  built: those of cancel_run
-- ARGV  1 s that a finished run is kept  2 reason  3 traceback as RQ reads it  4.. ids
-- Reply of each 'withdrawn' | 'asked' | the final state it has already | 'absent'
--#include time
--#include event
--#include queue
--#include park
--#include gather
--#include finish
--#include cancel
local now = now_ms()
local replies = {}
for i = 4, #ARGV do replies[i - 3] = cancel_run(ARGV[i], ARGV[2], ARGV[3], now, tonumber(ARGV[1])) end
return replies
