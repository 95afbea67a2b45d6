-- CANCEL: a run that waits ends at once; one that runs is asked to stop, and its agent told.
-- KEYS  built: those of cancel_run
-- ARGV  1 id  2 s that a finished run is kept  3 reason  4 traceback as RQ reads it
-- Reply 'withdrawn' | 'asked' | the final state it has already | 'absent'
--#include time
--#include event
--#include queue
--#include finish
--#include cancel
return cancel_run(ARGV[1], ARGV[3], ARGV[4], now_ms(), tonumber(ARGV[2]))
