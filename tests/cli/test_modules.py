"""`jober apply --module`: jobs that functions declare by `@job`."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jober import Jober
from jober.embedded import RedisServer
from tests.cli.conftest import Cli
from tests.fleet import ROOT, Fleet


@pytest.fixture
def jober(redis_server: RedisServer) -> Iterator[Jober]:
    with Jober(redis_server.url) as jober:
        yield jober


JOBS = """
from jober import job

@job(cron="0 3 * * *", timezone="Europe/Warsaw", roles=["db"], tags=["backup"])
def nightly(): return 1

@job(every=60, name="often", args=[1])
@job(every=3600, name="seldom", args=[2])
def twice(n): return n

@job
def by_hand(): ...

class Group:
    @staticmethod
    @job(every=5)
    def inside(): ...

def nothing(): ...
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `myapp` in the current directory; write into its modules."""
    package = tmp_path / "myapp"
    (package / "more").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "jobs.py").write_text(JOBS)
    (package / "more" / "__init__.py").write_text("from myapp.jobs import nightly\n")
    (package / "more" / "reports.py").write_text(
        "from jober import job\n@job(every=7)\ndef report(): ...\n"
    )
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    yield package
    sys.path[:] = path
    for name in [name for name in sys.modules if name.partition(".")[0] == "myapp"]:
        del sys.modules[name]


def test_the_jobs_that_a_module_declares_are_applied(cli: Cli, jober: Jober, package: Path) -> None:
    done = cli("apply", "--module", "myapp.jobs")
    assert done.status == 0, done.err
    found = {record.name: record.job for record in jober.jobs()}
    assert sorted(found) == ["by_hand", "inside", "nightly", "often", "seldom"]
    assert found["nightly"].spec() == {
        "call": "myapp.jobs:nightly",
        "cron": "0 3 * * *",
        "timezone": "Europe/Warsaw",
        "roles": ["db"],
        "tags": ["backup"],
    }
    assert (found["often"].args, found["seldom"].args) == ([1], [2])
    assert found["inside"].call == "myapp.jobs:Group.inside"
    assert found["by_hand"].schedule is None
    assert cli("apply", "--module", "myapp.jobs").text.endswith("5 unchanged\n")


def test_of_a_package_all_modules_are_looked_through_and_each_job_is_found_once(
    cli: Cli, jober: Jober, package: Path
) -> None:
    assert cli("apply", "--module", "myapp").status == 0
    assert "report" in jober.store.jobs.names()
    assert len(jober.store.jobs.names()) == 6


def test_a_file_and_modules_are_applied_as_one(cli: Cli, jober: Jober, package: Path) -> None:
    file = package / "jobs.toml"
    file.write_text('[jobs.more]\ncommand = "date"\n')
    jober.add_job("date", name="old")
    done = cli("apply", str(file), "--module", "myapp.more.reports", "--prune", "--json")
    assert (done.json["added"], done.json["removed"]) == (["more", "report"], ["old"])
    file.write_text('[jobs.report]\ncommand = "date"\n')
    done = cli("apply", str(file), "--module", "myapp.more.reports")
    assert done.status == 1
    assert "job 'report': it is defined in" in done.err


def test_what_is_wrong_in_a_module_is_told_with_its_line_and_nothing_is_written(
    cli: Cli, jober: Jober, package: Path
) -> None:
    (package / "bad.py").write_text(
        "from jober import job\n"
        '@job(crn="x")\ndef a(): ...\n'
        '@job(cron="61 * * * *")\ndef b(): ...\n'
        "@job(name='b')\ndef c(): ...\n"
        "@job(command='x')\ndef d(): ...\n"
        "def outer():\n    @job(every=1)\n    def inner(): ...\n    return inner\n"
        "inner = outer()\n"
    )
    done = cli("apply", "--module", "myapp.bad")
    assert done.status == 1
    told = done.err.splitlines()
    assert len(told) == 5
    assert "myapp/bad.py:2: job 'a': crn: unknown field 'crn', did you mean 'cron'?" in told[0]
    assert "myapp/bad.py:4: job 'b': cron" in told[1]
    assert "job 'b': name: it is declared twice, first at myapp/bad.py:4" in told[2]
    assert "job 'd': command: the job calls the function, and nothing else" in told[3]
    assert "job 'inner': call: outer.<locals>.inner is a function in a function" in told[4]
    assert jober.store.jobs.names() == []


def test_a_module_that_cannot_be_imported_or_declares_nothing_is_told(
    cli: Cli, package: Path
) -> None:
    (package / "broken.py").write_text("1 / 0")
    for module, told in (
        ("myapp.broken", "myapp.broken: it cannot be imported: ZeroDivisionError"),
        ("myapp.absent", "myapp.absent: it cannot be imported: ModuleNotFoundError"),
        ("json", "json: no function of it declares a job (write @job"),
    ):
        done = cli("apply", "--module", module)
        assert done.status == 1
        assert told in done.err
    assert cli("apply").status == 2


@pytest.mark.parametrize("before", ["", "import jober.job\n"])
def test_the_decorator_is_imported_from_jober_whatever_was_loaded_before(
    before: str, package: Path
) -> None:
    program = before + (
        "import sys\n"
        "from jober import job\n"
        "@job(every=5)\n"
        "def f(): return 7\n"
        "print(f(), 'pydantic' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    # An agent that loads such a module does not load what checks definitions.
    assert done.stdout.split() == ["7", str(bool(before))]


def test_a_declared_job_runs_on_an_agent_that_finds_its_module(fleet: Fleet, package: Path) -> None:
    fleet.agent("alpha", "db,default", environ={"PYTHONPATH": str(package.parent)})
    fleet.jober.apply(modules=["myapp.jobs"])
    assert fleet.jober.run("nightly").result(timeout=30) == 1
    assert fleet.jober.run("seldom").result(timeout=30) == 2


def test_the_example_is_applied_and_runs_as_it_says(fleet: Fleet, cli: Cli) -> None:
    fleet.agent("alpha", "db,default", environ={"PYTHONPATH": str(ROOT)})
    done = cli("apply", "--module", "examples.declared", "--redis", fleet.url, "--json")
    assert sorted(done.json["added"]) == ["count_letters", "count_words", "new_year", "nightly"]
    for name, result in (("count_words", 5), ("count_letters", 11), ("nightly", "done")):
        assert fleet.jober.run(name).result(timeout=60) == result
    assert fleet.jober.job("new_year").job.volatile
    assert cli("remove", "count_words", "--redis", fleet.url).status == 1
