"""`jober import`: what is printed can be applied as it is, and what is wrong is told."""

import io
import sys
from pathlib import Path

import pytest

from jober.jobs_file import read_jobs
from tests.cli.conftest import Cli

CRONTAB = """\
MAILTO=ops@example.org
# Nightly backup
0 3 * * * /srv/backup.sh db1
*/5 * * * * poll%one%two
"""


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize("format", ["toml", "yaml"])
def test_a_crontab_is_printed_as_a_file_that_apply_takes(
    cli: Cli, tmp_path: Path, format: str
) -> None:
    tab = tmp_path / "tab"
    tab.write_text(CRONTAB)
    done = cli(
        "import", "crontab", str(tab), "--timezone", "Europe/Warsaw", "--roles", "db,web+ssd",
        "--prefix", "x-", "--format", format,
    )  # fmt: skip
    assert (done.status, done.err) == (0, "")
    file = tmp_path / f"jobs.{format}"
    file.write_bytes(done.out)
    backup, poll = read_jobs(file).jobs
    assert (backup.name, backup.title, backup.cron) == (
        "x-backup-db1", "Nightly backup", "0 3 * * *",
    )  # fmt: skip
    assert backup.timezone == "Europe/Warsaw" and backup.roles == ["db", "web+ssd"]
    assert poll.command == "exec <<'END'\none\ntwo\nEND\npoll"
    assert cli("apply", str(file)).status == 0
    assert [job["name"] for job in cli("jobs", "--json").json] == ["x-backup-db1", "x-poll"]
    assert "2 unchanged" in cli("apply", str(file)).text


def test_a_crontab_is_read_from_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, CRONTAB.encode())
    done = cli("import", "crontab", "-")
    assert done.status == 0
    assert done.text.startswith("# The jobs of the crontab stdin,")


def test_a_line_that_cannot_be_read_prints_nothing_unless_it_is_skipped(
    cli: Cli, tmp_path: Path
) -> None:
    tab = tmp_path / "tab"
    tab.write_text("1 1 * * * a\n61 * * * * b\n@reboot c\n* * * d\n")
    done = cli("import", "crontab", str(tab), "--timezone", "UTC")
    assert (done.status, done.out) == (1, b"")
    assert done.err.splitlines() == [
        f"jober: {tab}:3: @reboot is no schedule; told in a comment, not imported",
        "jober: nothing is printed, for what follows; --skip-invalid imports the others",
        f"jober: {tab}:2: cron: minute 61 is not in 0-59 (write a number of that range)",
        f"jober: {tab}:4: it has 4 fields, and neither runs a command nor sets a variable (write "
        "five fields and a command, or NAME=value, or # before a remark)",
    ]
    done = cli("import", "crontab", str(tab), "--timezone", "UTC", "--skip-invalid")
    assert done.status == 0
    assert "[jobs.a]" in done.text and "# Not imported, line 2: 61 * * * * b" in done.text
    assert f"jober: left out: {tab}:2" in done.err


def test_a_crontab_without_jobs_is_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "tab").write_text("# nothing\n")
    done = cli("import", "crontab", str(tmp_path / "tab"))
    assert (done.status, done.err) == (0, "jober: there are no jobs in it\n")


@pytest.mark.parametrize(
    ("options", "status", "problem"),
    [
        (["nowhere"], 1, "nowhere: it cannot be read: no such file or directory"),
        (["tab", "--roles", "a b"], 1, "roles: 'a b' is not a role expression"),
        (["tab", "--timezone", "Warsaw"], 1, "timezone: 'Warsaw' is not a time zone"),
        (["tab", "--prefix", "a b"], 1, "name: 'a ba' is not a job name"),
        (["tab", "--format", "json"], 2, "--format is toml or yaml, and not 'json'"),
        (["latin"], 1, "latin:2: byte 0xe9 is not UTF-8"),
    ],
)
def test_wrong_options_are_told_in_one_line(
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    status: int,
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tab").write_text(CRONTAB)
    Path("latin").write_bytes(b"#\n@daily caf\xe9\n")
    done = cli("import", "crontab", *options)
    assert done.status == status
    assert problem in done.err and done.err.count("\n") == 1


def test_what_to_import_has_to_be_said(cli: Cli) -> None:
    done = cli("import")
    assert done.status == 2
    assert "import crontab or import systemd" in done.err


# systemd


def units(folder: Path) -> None:
    (folder / "nightly.timer").write_text("[Timer]\nOnCalendar=Mon..Fri 03:00\nPersistent=true\n")
    (folder / "nightly.service").write_text("[Service]\nType=oneshot\nExecStart=/bin/x 'a b'\n")
    (folder / "nightly.timer.d").mkdir()
    (folder / "nightly.timer.d" / "o.conf").write_text("[Timer]\nRandomizedDelaySec=5min\n")


@pytest.mark.parametrize("path", [".", "nightly.timer"])
def test_timers_are_printed_as_a_file_that_apply_takes(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    units(tmp_path)
    done = cli("import", "systemd", path, "--timezone", "Europe/Warsaw")
    assert (done.status, done.err) == (0, "")
    file = tmp_path / "jobs.toml"
    file.write_bytes(done.out)
    (job,) = read_jobs(file).jobs
    assert (job.command, job.cron, job.jitter) == ("/bin/x 'a b'", "0 3 * * 1-5", 300)
    assert (job.catch_up, job.timezone, job.cwd) == ("latest", "Europe/Warsaw", "/")
    assert cli("apply", str(file), "--dry-run").status == 0


def test_a_timer_is_found_by_its_link_and_its_instance(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "dump@.timer").write_text("[Timer]\nOnCalendar=daily\n")
    (tmp_path / "dump@.service").write_text("[Service]\nExecStart=/bin/dump %i\n")
    wanted = tmp_path / "timers.target.wants"
    wanted.mkdir()
    (wanted / "dump@db.timer").symlink_to(tmp_path / "dump@.timer")
    done = cli("import", "systemd", str(wanted))
    assert done.status == 0
    assert "[jobs.dump-db]" in done.text and 'command = "/bin/dump db"' in done.text


def test_what_systemctl_prints_is_read(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "# /etc/systemd/system/a.timer\n[Timer]\nOnCalendar=daily\n\n"
        "# /etc/systemd/system/a.service\n[Service]\nExecStart=/bin/a\n"
    )
    stdin(monkeypatch, text.encode())
    assert '[jobs.a]\ncommand = "/bin/a"' in cli("import", "systemd", "-").text


def test_a_timer_that_cannot_be_said_prints_nothing_unless_it_is_skipped(
    cli: Cli, tmp_path: Path
) -> None:
    units(tmp_path)
    (tmp_path / "b.timer").write_text("[Timer]\nOnUnitInactiveSec=5min\n")
    done = cli("import", "systemd", str(tmp_path))
    assert (done.status, done.out) == (1, b"")
    assert f"{tmp_path}/b.timer:2: OnUnitInactiveSec=5min: it counts from the end" in done.err
    assert f"{tmp_path}/b.timer: it starts b.service, which is not there" in done.err
    done = cli("import", "systemd", str(tmp_path), "--skip-invalid")
    assert done.status == 0
    assert "[jobs.nightly]" in done.text and "# Not imported: " in done.text


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("nowhere.timer", "it cannot be read: no such file or directory"),
        ("x.conf", "x.conf: it is neither a timer nor a directory"),
        ("empty", "empty: there is no timer"),
    ],
)
def test_a_path_without_a_timer_is_told(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    done = cli("import", "systemd", path)
    assert done.status == 1
    assert problem in done.err and done.err.count("\n") == 1


# The zone of the machine
