"""What happens as it happens, over HTTP: server-sent events.

One thread of the process hears what happens in the fleet, and one what the runs write that anybody
follows (`hub`). Both keep the newest of it (`event_log`, `run_log`), and each follower takes from
there by its own place (`followers`): it costs a place and a task, however slow it is. What has gone
from there by then it reads from Redis. `response` sends it, and gives up who does not take it.
"""
