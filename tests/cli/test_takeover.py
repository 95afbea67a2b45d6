"""`jober takeover`: a file that can be applied, and a report that holds it to the host's log."""

import gzip
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jober.jobs_file import read_jobs
from tests.cli.conftest import Cli
from tests.fleet import BIN
from tests.takeover import real_journal
from tests.takeover.hosts import debian, enable, write

TAB = "*/10 * * * * root poll\n30 4 * * * nobody tidy --all\n@reboot root up\n"
BEGIN = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = debian(tmp_path / "web1", "Etc/UTC")
    write(root, "/etc/cron.d/tab", TAB)
    return root


def line(moment: datetime, message: str, pid: int = 1) -> str:
    return f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S} web1 CRON[{pid}]: {message}\n"


def log_of(hours: range, without: tuple[int, ...] = ()) -> str:
    """What cron logs of the crontab in these hours, but of those left out."""
    found = ""
    for hour in hours:
        for minute in range(0, 60, 10):
            at = BEGIN + timedelta(hours=hour, minutes=minute, seconds=1)
            found += "" if hour in without else line(at, "(root) CMD (poll)", hour * 60 + minute)
            if at.hour == 4 and minute == 30 and hour not in without:
                found += line(at, "(nobody) CMD (tidy --all)", 9999 + hour)
    return found


def put(root: Path, name: str, text: str, written: datetime) -> None:
    file = root / "var/log" / name
    data = text.encode()
    file.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    os.utime(file, (written.timestamp(), written.timestamp()))


def test_a_host_becomes_a_file_that_apply_takes_and_that_is_not_written_over(
    cli: Cli, root: Path, tmp_path: Path
) -> None:
    enable(root, "work", "[Timer]\nOnCalendar=daily\n", "[Service]\nExecStart=/bin/work\n")
    file = tmp_path / "web1.toml"
    done = cli("takeover", "--root", str(root), "-o", str(file))
    assert (done.status, done.out) == (0, b"")
    assert done.err.splitlines() == [
        "jober: not taken over: /etc/cron.d/tab:3: @reboot is no schedule; told in a comment, "
        "not imported",
        "jober: 3 jobs of 2 files; 1 not taken over",
        f"jober: next: jober takeover shadow {file} --since 7d",
    ]
    assert [job.name for job in read_jobs(file).jobs] == ["web1-poll", "web1-tidy", "web1-work"]
    assert cli("takeover", "--root", str(root)).out == file.read_bytes()
    assert "3 added" in cli("apply", str(file)).text
    assert "3 unchanged" in cli("apply", str(file)).text
    again = cli("takeover", "--root", str(root), "-o", str(file))
    assert again.status == 2 and "is there already" in again.err


def test_a_host_that_runs_nothing_by_itself_is_told_so(cli: Cli, tmp_path: Path) -> None:
    done = cli("takeover", "--root", str(debian(tmp_path / "web1")))
    assert (done.status, done.out) == (1, b"")
    assert "no crontab and no enabled timer was found that can be jobs" in done.err


def test_a_host_without_a_log_is_told_so(cli: Cli, root: Path) -> None:
    done = cli("takeover", "shadow", "--root", str(root))
    assert done.status == 1 and "there is no log: no syslog, cron" in done.err


def test_logs_that_were_rotated_are_one_and_where_all_agrees_it_says_how_to_switch(
    cli: Cli, root: Path, tmp_path: Path
) -> None:
    put(root, "syslog.2.gz", log_of(range(20)), BEGIN + timedelta(hours=20))
    put(root, "syslog.1", log_of(range(20, 40)), BEGIN + timedelta(hours=40))
    put(root, "syslog", log_of(range(40, 48)), BEGIN + timedelta(hours=48))
    put(root, "cron.log", log_of(range(40, 48)), BEGIN + timedelta(hours=48))
    file = tmp_path / "web1.toml"
    cli("takeover", "--root", str(root), "-o", str(file))
    window = ("--since", "2026-03-01", "--until", "2026-03-05T00:30")
    done = cli("takeover", "shadow", str(file), "--root", str(root), *window, "--json")
    told = done.json
    assert (told["agreed"], told["unexplained"], done.status) == (6 * 48 + 2, 0, 0)
    # After the last line nobody knows, and before the first there is nothing to compare with.
    assert told["from"] == "2026-03-03T00:00:00.000Z" and len(told["log"]) == 4
    assert {each["reason"][:35] for job in told["jobs"] for each in job["only_jober"]} == {
        "no line of any program in the log f"
    }
    window = ("--since", "2026-03-03", "--until", "2026-03-04T23:59")
    text = cli("takeover", "shadow", str(file), "--root", str(root), *window).text
    assert "290 fires agree, none differs." in text
    assert "sed -i '1s/^/#/;2s/^/#/' /etc/cron.d/tab" in text
    assert f"jober apply {file} --dry-run" in text


def test_what_only_one_of_them_has_is_told_with_its_reason_and_in_the_exit_status(
    cli: Cli, root: Path, tmp_path: Path
) -> None:
    at = BEGIN + timedelta(hours=2, minutes=3)
    extra = line(at, "(root) CMD (poll)", 7) + line(at, "(root) CMD (up)", 8)
    lines = (log_of(range(24), without=(9, 10)) + extra).splitlines(keepends=True)
    put(root, "syslog", "".join(sorted(lines)), BEGIN + timedelta(days=1))
    window = ("--root", str(root), "--since", "2026-03-03", "--until", "2026-03-03T23:59")
    done = cli("takeover", "shadow", *window)
    assert done.status == 1
    down = "only jober: no line of any program in the log from 2026-03-03 08:51 to 2026-03-03 11:00"
    assert f"2026-03-03 09:00:00  web1-poll  {down}: the host was down or slept (×12" in done.text
    assert "02:03:00  web1-poll  only the host: no reason was found in the log" in done.text
    assert "  (root) up  ×1" in done.text
    assert "133 fires agree, 13 differ, 1 against a schedule." in done.text
    assert "Switch nothing of what differs" in done.text
    # What somebody has changed in the file is what is compared.
    file = tmp_path / "web1.toml"
    cli("takeover", "--root", str(root), "-o", str(file))
    file.write_text(file.read_text().replace("30 4 * * *", "40 4 * * *"))
    report = cli("takeover", "shadow", str(file), *window, "--json").json
    told = {job["job"]: job for job in report["jobs"]}
    assert [len(told["web1-tidy"][side]) for side in ("only_host", "only_jober")] == [1, 1]


def test_a_live_shadow_tells_each_start_as_it_comes_and_ends_with_the_report(root: Path) -> None:
    write(root, "/etc/cron.d/tab", "* * * * * root poll\n")
    log = root / "var/log/syslog"
    now = datetime.now(UTC)
    minute = now.replace(second=0, microsecond=0)
    log.write_text(line(minute - timedelta(minutes=2), "(root) CMD (poll)", 1))
    call = [
        str(BIN / "jober"), "takeover", "shadow", "--root", str(root), "--for", "1h",
        "--since", (minute - timedelta(minutes=3)).isoformat(),
    ]  # fmt: skip
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as live:
        assert live.stdout is not None and live.stderr is not None
        assert "web1-poll  agrees" in live.stdout.readline()
        with log.open("a") as file:
            file.write(line(minute - timedelta(minutes=1), "(root) CMD (poll)", 2))
        while "agrees" not in (told := live.stdout.readline()):
            assert told
        live.send_signal(signal.SIGINT)
        rest, notes = live.communicate(timeout=60)
    assert "fires agree" in rest
    assert "to go on: jober takeover shadow --since" in notes


def test_where_there_is_no_syslog_the_journal_is_read(cli: Cli, root: Path) -> None:
    if os.geteuid() != 0 or not Path(real_journal.DAEMON).exists():
        told = "no systemd-journald here, or not root"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    write(root, "/etc/cron.d/tab", "* * * * * root poll\n1 1 29 2 * root never\n")
    subprocess.run(
        [
            "unshare", "--mount", sys.executable, real_journal.__file__, root,
            "<78>CRON[7]: (root) CMD (poll)", "<78>CRON[8]: (root) CMD (up)",
            "<30>other[9]: (root) CMD (poll)",
        ],
        check=True,
    )  # fmt: skip
    told = cli("takeover", "shadow", "--root", str(root), "--json").json
    assert told["log"] == ["journal"]
    assert [len(job["only_host"]) for job in told["jobs"]] == [0, 0]
    assert told["jobs"][0]["agreed"] == 1
    assert told["others"] == [{"user": "root", "command": "up", "starts": 1}]


@pytest.mark.parametrize(
    ("options", "status", "problem"),
    [
        (["--for", "1h", "--until", "2h"], 2, "--for and --until exclude each other"),
        (["--tolerance", "0"], 2, "--tolerance is more than 0 seconds"),
        (["--since", "2h", "--until", "3h"], 2, "that time has no length"),
        (["--since", "soon"], 1, "--since: 'soon' is no moment"),
        (["--log", "/nowhere"], 1, "/nowhere: it cannot be read: no such file or directory"),
        (["web2.toml"], 1, "no job is of a crontab or timer of this host"),
    ],
)
def test_wrong_calls_are_told(
    cli: Cli,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    status: int,
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("web2.toml").write_text('[jobs.web2-poll]\ncommand = "poll"\ncron = "* * * * *"\n')
    put(root, "syslog", log_of(range(24)), BEGIN + timedelta(days=1))
    done = cli("takeover", "shadow", "--root", str(root), *options)
    assert (done.status, done.out) == (status, b"")
    assert problem in done.err
