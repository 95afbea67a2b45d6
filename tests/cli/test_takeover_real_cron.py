"""The jobs beside a real cron of Debian, in the nights in which summer time begins and ends.

cron goes by a clock that runs twenty times as fast; `make crons` unpacks it.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Done
from tests.faults.clocks import library
from tests.takeover.hosts import debian, write

UNPACKED = Path(__file__).parents[2] / ".venv" / "cron" / "usr" / "sbin" / "cron"
PROGRAM = Path(__file__).parents[1] / "takeover" / "real_cron.py"
SPEED = 20
CRONTAB = """\
* * * * * root echo each	minute
30 2 * * * root echo \\% of a night é
0 3 * * * nobody true%with%input
5-59/5 2 * * * root fixed hours
*/15 * * * * root quarter
0 0 29 2 * root never
"""
NIGHTS = {
    # From half a minute before the clock is set, and for so long that a minute is heard after.
    "spring": (datetime(2025, 3, 30, 0, 59, 30, tzinfo=UTC), 75),
    "autumn": (datetime(2025, 10, 26, 0, 59, 30, tzinfo=UTC), 75),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    root: Path
    end: datetime
    commands: list[str]


def real_cron() -> str:
    """Where cron is. Where it is not, the test is skipped, and in CI it fails."""
    if os.geteuid() == 0 and (UNPACKED.exists() or shutil.which("cron")):
        return str(UNPACKED) if UNPACKED.exists() else "cron"
    told = "no cron here, or not root: make crons, as root"
    if os.environ.get("CI"):
        pytest.fail(told)
    pytest.skip(told)


def start(root: Path, begin: datetime, lasting_s: int) -> subprocess.Popen[str]:
    fast = library().with_name("libfaketime.so.1")
    begin_ms = str(begin.timestamp() * 1000)
    call = [sys.executable, PROGRAM, real_cron(), fast, root, begin_ms, lasting_s, SPEED]
    return subprocess.Popen(
        ["unshare", "--mount", *map(str, call)], stdout=subprocess.PIPE, text=True
    )


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Night]:
    """Both nights at the same time: their roots, with the log that cron left there."""
    going = {}
    for name, (begin, lasting_s) in NIGHTS.items():
        root = debian(tmp_path_factory.mktemp(name))
        write(root, "/etc/cron.d/jobs", CRONTAB)
        permit = "".join(f"{kind} required pam_permit.so\n" for kind in ("account", "session"))
        write(root, "/etc/pam.d/cron", f"auth required pam_permit.so\n{permit}")
        going[name] = root, begin, lasting_s, start(root, begin, lasting_s)
    found = {}
    for name, (root, begin, lasting_s, program) in going.items():
        out, _ = program.communicate(timeout=120)
        assert program.returncode == 0
        lines = [line.partition(" ") for line in out.splitlines()]
        log = [
            f"{datetime.fromtimestamp(int(at) / 1000).astimezone():%Y-%m-%dT%H:%M:%S.%f%z} "
            f"web1 {message}\n"
            for at, _, message in lines
        ]
        write(root, "/var/log/syslog", "".join(log))
        os.utime(root / "var/log/syslog")
        end = datetime.fromtimestamp(begin.timestamp() + lasting_s, UTC)
        commands = [message for _, _, message in lines if ") CMD (" in message]
        found[name] = Night(root=root, end=end, commands=commands)
    return found


def shadow(cli: Cli, nights: dict[str, Night], name: str) -> Done:
    """Five minutes of that clock are fifteen seconds of ours, on a machine that is busy."""
    night = nights[name]
    return cli(
        "takeover", "shadow", "--root", str(night.root), "--json", "--tolerance", "300",
        "--since", NIGHTS[name][0].isoformat(), "--until", night.end.isoformat(),
    )  # fmt: skip


def test_where_an_hour_comes_twice_jobs_and_cron_agree_on_each_start(
    nights: dict[str, Night], cli: Cli
) -> None:
    done = shadow(cli, nights, "autumn")
    assert done.json["differ"] == 0 and done.json["others"] == [], done.json
    assert done.json["agreed"] == len(nights["autumn"].commands)
    assert done.status == 0
    told = "\n".join(nights["autumn"].commands)
    assert "quarter" in told and "fixed" not in told


def test_what_an_hour_that_is_skipped_would_have_had_cron_runs_each_time_and_a_job_once(
    nights: dict[str, Night], cli: Cli
) -> None:
    done = shadow(cli, nights, "spring")
    *alike, often = sorted(done.json["jobs"], key=lambda job: len(job["only_host"]))
    assert all(not job["only_host"] and not job["only_jober"] for job in alike), done.json
    assert sum("of a night" in command for command in nights["spring"].commands) == 1
    # Of one job that has several times in that hour, the report tells it.
    assert (often["agreed"], often["only_jober"], len(often["only_host"])) == (1, [], 10)
    assert {one["reason"] for one in often["only_host"]} == {
        "near a change of summer time: cron and the job take it differently"
    }
    assert done.status == 1
