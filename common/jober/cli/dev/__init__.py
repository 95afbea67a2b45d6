"""`jober dev`: a whole fleet on one machine, to look at.

`command` starts and ends it all (the processes are those of `jober.embedded`); `hosts` thinks up
hosts that together have every role; `story` listens to what happens and tells it to a `screen`,
where a person looks, in `plain` lines, or in `json_lines`; `web` says where the pages
are; `watch` applies the file again when it has changed.
"""
