"""The history of runs, and an archive of it: `python examples/history.py`.

The archive is a file of SQLite here; for PostgreSQL, its address is
`postgresql+psycopg://user:password@host/database`. It takes `pip install 'jober[archive]'`.
"""

import tempfile

from jober import Jober

archive = f"sqlite:///{tempfile.mkdtemp()}/archive.db"

with Jober() as jober:
    jober.add_job("exit", name="job", shell=True, tags=["example"], keep_runs=100, keep_for=86_400)
    for status in (0, 3, 0):
        jober.run("job", args=[status]).wait(timeout=60)

    print("failed:", [run.exit_code for run in jober.runs("job", state="failed")])
    newest = jober.runs(tag="example", since="1h", limit=1)
    older = jober.runs(tag="example", since="1h", after=newest[-1].id)
    print("pages:", len(newest), len(older))

    moved = jober.archive(archive, older_than=0, keep_runs="365d", keep_logs={"debug": "1d"})
    print("moved:", moved.runs, "left:", len(jober.runs("job")))
    print("archived:", [str(run.state) for run in jober.archived_runs("job", url=archive)])
