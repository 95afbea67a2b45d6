"""Jobs that functions declare: `jober apply --module examples.declared`, from the root of a
checkout, and `PYTHONPATH=. jober worker --roles default,db` for a worker that finds them.

`jober run count_words --follow` runs one now. The functions stay what they are: other code, and
tests, call them.
"""

from jober import current_run, job


@job(cron="0 3 * * *", timezone="Europe/Warsaw", roles=["db"], tags=["backup"], keep_runs=30)
def nightly() -> str:
    """Each night at three, on one host with role db."""
    current_run().log.info("nothing to back up")
    return "done"


@job(every=[1, "hour"], name="count_words", args=["a job in a file"], protected=True)
@job(every=[1, "day"], name="count_letters", args=["a job in a file"], kwargs={"letters": True})
def count(text: str, letters: bool = False) -> int:
    """Two jobs of one function."""
    return len(text.replace(" ", "")) if letters else len(text.split())


@job(date="2030-01-01T00:00:00Z", volatile=True)
def new_year() -> None:
    """Once, and then the job is gone; what it made is kept for a week."""
