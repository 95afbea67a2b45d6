-- AUDIT: what somebody did by a call that has ended.
-- KEYS  1 jober:audit
-- ARGV  1 msgpack list of names and values in turn
-- Reply 1. A call that is sent twice may be noted twice.
--#include audit
note_done(cmsgpack.unpack(ARGV[1]))
return 1
