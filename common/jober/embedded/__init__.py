"""jober with no server at hand: a private Redis, and the daemons beside it, in a folder.

`redis_server` starts the Redis, `daemons` the scheduler and the agent. A `folder` is served by its
`keeper`, a process of its own, as long as programs are its members; `member` is what a program
holds of it.
"""

from jober.embedded.redis_server import RedisServer, end_with_parent, find_server

__all__ = ["RedisServer", "end_with_parent", "find_server"]
