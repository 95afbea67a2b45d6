"""The agent of a host: takes the runs of its roles, executes them, and reports.

`main` reads the arguments and becomes the `guardian`, a small process that forks the agent and
sees to it that nothing survives it. In the `agent`, a `fetcher` claims runs, an `executor` thread
carries out each (a command in a `process`, a callable by `functions`), the `pump` sends output
while it comes, the `reporter` reports ends, and the `renewer` keeps the leases. Claims, output
and reports travel in batches.
"""
