"""The agent of a host: takes the runs of its roles, executes them, and reports.

`main` reads the arguments and becomes the `guardian`, a small process that forks the agent and
sees to it that nothing survives it. The agent's process lives in `serve`. In the `agent`, a
`fetcher` claims runs, an `execution` in a thread carries out each (a command in a `process`, a
callable by `functions`), the `pump` sends output while it comes, the `reporter` reports ends, the
`renewer` keeps the leases, and the `sweeper` kills what runs leave behind. Each of these is a
`part`, which does not die unseen. Claims, output and reports travel in batches. What only Linux has
is in the `kernel`, with what stands in for it elsewhere.
"""
