"""Jobs that come after others: what they wait for, when they may go on, what has to run first.

`links` is what a definition says of other jobs, `graph` which come before which, `decide` whether
a waiting run may go on, `build` what is missing or outdated, `result` what a job returned as an
argument of another, `drawing` the graph for people. All of it is pure.
"""

from jober.workflow.build import JobState, build_order
from jober.workflow.decide import (
    IN_CASE_MS,
    LastSuccess,
    Upstream,
    UpstreamRun,
    Verdict,
    WaitingRun,
    decide,
)
from jober.workflow.drawing import svg, tree
from jober.workflow.graph import Dangling, Edge, Graph
from jober.workflow.links import Links, Waits, quorum_of
from jober.workflow.result import Result, results_in, with_results

__all__ = [
    "IN_CASE_MS",
    "Dangling",
    "Edge",
    "Graph",
    "JobState",
    "LastSuccess",
    "Links",
    "Result",
    "Upstream",
    "UpstreamRun",
    "Verdict",
    "WaitingRun",
    "Waits",
    "build_order",
    "decide",
    "quorum_of",
    "results_in",
    "svg",
    "tree",
    "with_results",
]
