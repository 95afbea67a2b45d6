"""Jobs that a program makes and keeps: `python examples/jobs.py`, with no server at hand."""

import time

from jober import Jober
from jober.errors import JobExistError, JobProtected, JobRunning


def greet() -> str:
    return "hello"


with Jober() as jober:
    jober.add_job(greet, every=1, keep_runs=5, tags=["people"], title="Greet", extra={"by": "me"})
    jober.add_job(
        "date", cron="0 3 * * *", timezone="Europe/Warsaw", name="nightly", protected=True
    )
    jober.add_job("echo happy new year", date="2030-01-01", name="new-year", notes="Once.")
    print([(record.name, record.job.schedule_text) for record in jober.jobs()])
    try:
        jober.add_job(greet, every=2)
    except JobExistError as error:
        print(error)

    while not jober.runs("greet", state="success"):
        time.sleep(0.1)
    print("it fires:", jober.handle(jober.runs("greet", state="success")[0].id).result())
    print("disabled:", jober.disable("greet"), "enabled:", jober.enable("greet"))

    try:
        jober.remove("nightly")
    except JobProtected as error:
        print(error)
    jober.remove("nightly", force=True)

    jober.add_job("sleep 600", name="long")
    run = jober.run("long")
    run.wait(timeout=60, until="running")
    try:
        jober.remove("long")
    except JobRunning as error:
        print(str(error).replace(run.id, "RUN"))
    run.cancel()
    run.wait(timeout=60)
    jober.remove("long")

    jober.add_job("true", name="fleeting", volatile=True)
    jober.run("fleeting").wait(timeout=60)
    jober.prune()  # as happens by itself within some seconds
    print("left:", [record.name for record in jober.jobs()])
    print("its run is kept:", [run.state.value for run in jober.runs("fleeting")])
