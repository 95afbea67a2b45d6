"""Jobs that come after others: `python examples/workflow.py`, with no server at hand."""

import time

from jober import Jober, Result
from jober.errors import WorkflowLoop

with Jober() as jober:
    jober.add_job("extract", call="operator:add", args=[20, 22])
    jober.add_job("tell", command="true")
    jober.add_job("alarm", command="true")
    jober.add_job("check", command="true", on="every", fresh_for="6h")
    jober.add_job(
        "load",
        call="builtins:dict",
        # What extract returned, wherever it stands.
        kwargs={"rows": [Result("extract")]},
        # A fan-in: check has to succeed on that share of the hosts that it runs on.
        needs=["check"],
        quorum="50%",
        on_success=["tell"],
        on_failure=["alarm"],
    )
    jober.add_job("report", command="true", needs=["load"], wait_for=["check"])
    try:
        jober.update_job("extract", needs=["report"])
    except WorkflowLoop as error:
        print(error)
    print("after extract:", jober.graph().after("extract"))

    print("load:", jober.run("load", with_needs=True).result(timeout=60))
    run = jober.run("load", with_needs=True)
    run.wait(timeout=60)
    print("extract ran", len(jober.runs("extract")), "time: it is up to date")

    jober.run("extract", with_dependents=True)
    while not jober.runs("report", state="success"):
        time.sleep(0.05)
    print("extract ran again, and then load, and report")

    fresh = jober.run("check", host=jober.agents()[0].host).wait(timeout=60)
    print(fresh.state, fresh.reason.split(":")[0])
    jober.add_job("fails", command="false", on_failure=["alarm"])
    before = len(jober.runs("alarm"))
    jober.run("fails").wait(timeout=60)
    while len(jober.runs("alarm")) == before:
        time.sleep(0.05)
    print("alarm was run")
