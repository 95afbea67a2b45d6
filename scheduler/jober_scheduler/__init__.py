"""The scheduler: one leader among any number of nodes turns due fires into runs.

`main` starts it and stops it in order. `elector` keeps or seeks the lead, in a thread of its
own. `ticker` sleeps until something is due, asks `planner` what is to happen (a pure function),
and has the store carry it out under the fence of its term. `reaper` gives up the runs of silent
agents, on every node. `pruner` forgets what is older than is kept.
"""
