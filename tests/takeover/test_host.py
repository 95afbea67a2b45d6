"""All that a host runs by itself is a job of the file, or is told with its place and the reason."""

from pathlib import Path

import pytest

from jober.importing import Imported, jobs_text
from jober.job import Job
from jober.jobs_file import parse_jobs
from jober.takeover import Root, TakeoverOptions, read_host
from jober.takeover.switching import disabling
from tests.takeover.hosts import debian, enable, write

# As Debian 12 has them.
ETC_CRONTAB = """\
SHELL=/bin/sh
# Example of job definition:
# .---------------- minute (0 - 59)
# *  *  *  *  * user-name command to be executed
17 *\t* * *\troot\tcd / && run-parts --report /etc/cron.hourly
25 6\t* * *\troot\ttest -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }
"""
ONESHOT = "[Unit]\nDescription=Work\n[Service]\nType=oneshot\nExecStart=/bin/work\n"


def read(root: Path, **options: object) -> Imported:
    return read_host(Root(str(root)), TakeoverOptions(**options))  # type: ignore[arg-type]


def jobs(found: Imported) -> dict[str, Job]:
    toml = parse_jobs(jobs_text(found, "toml"), "toml", "a.toml").jobs
    assert toml == parse_jobs(jobs_text(found, "yaml"), "yaml", "a.yaml").jobs
    return {job.name: job for job in toml}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return debian(tmp_path / "web1")


def test_a_job_runs_on_its_host_as_its_user_at_home_with_the_path_of_cron(root: Path) -> None:
    write(root, "/etc/cron.d/php", "# Sessions\n09,39 * * * * nobody /usr/lib/php/clean\n")
    job = jobs(read(root))["web1-clean"]
    assert job.spec() == {
        "title": "Sessions",
        "command": "/usr/lib/php/clean",
        "shell": True,
        "cron": "09,39 * * * *",
        "timezone": "Europe/Warsaw",
        "roles": [".web1"],
        "overlap": "allow",
        "catch_up": "none",
        "cwd": "/home/nobody",
        "env": {"PATH": "/usr/bin:/bin"},
        "user": "nobody",
    }


def test_crontabs_of_all_kinds_are_read_and_the_scripts_of_run_parts_are_named(root: Path) -> None:
    write(root, "/etc/crontab", ETC_CRONTAB)
    for name, mode in {"logrotate": 0o755, "backup.sh": 0o755, "notes": 0o644}.items():
        write(root, f"/etc/cron.daily/{name}", "", mode)
    write(root, "/var/spool/cron/crontabs/nobody", "MAILTO=a@example.org\nHOME=/srv\n@daily tidy\n")
    found = read(root)
    assert list(jobs(found)) == [
        "web1-run-parts-cron-hourly", "web1-run-parts-cron-daily", "web1-tidy",
    ]  # fmt: skip
    assert jobs(found)["web1-tidy"].cwd == "/srv"
    text = jobs_text(found, "toml")
    assert "# /etc/crontab:6\n# /etc/cron.daily holds logrotate.\n" in text
    assert "# run-parts passes over backup.sh, notes.\n" in text
    assert "mailto:a@example.org" in text


def test_a_crontab_of_red_hat_is_read_too(root: Path) -> None:
    (root / "etc/debian_version").unlink()
    (root / "var/spool/cron/crontabs").rmdir()
    write(root, "/var/spool/cron/nobody", "0 4 * * * tidy\n")
    write(root, "/etc/cron.d/0hourly.cron", "01 * * * * root run-parts /etc/cron.hourly\n")
    write(root, "/etc/cron.d/old.rpmsave", "* * * * * root old\n")
    assert set(jobs(read(root))) == {"web1-tidy", "web1-run-parts-cron-hourly"}


def test_what_is_no_job_is_told_with_its_place_and_the_reason(root: Path) -> None:
    write(root, "/etc/cron.d/x", "@reboot root up\n1 1 * * * ghost boo\n61 * * * * root x\n")
    write(root, "/etc/cron.d/x.bak", "* * * * * root x\n")
    write(root, "/etc/cron.weekly/man-db", "", 0o755)
    write(root, "/etc/anacrontab", "# x\nSHELL=/bin/sh\n7 10 cron.weekly run-parts /etc/x\n")
    write(root, "/var/spool/cron/crontabs/nobody", "").write_bytes(b"# caf\xe9\n")
    enable(root, "often", "[Timer]\nOnBootSec=1\nOnUnitInactiveSec=5min\n", ONESHOT)
    found = read(root)
    assert [str(problem).partition(" (")[0] for problem in found.problems] == [
        "/etc/cron.d/x:2: there is no user 'ghost' here, so cron itself runs nothing of it",
        "/etc/cron.d/x:3: cron: minute 61 is not in 0-59",
        "/var/spool/cron/crontabs/nobody:1: byte 0xe9 is not UTF-8",
        "/etc/systemd/system/often.timer:3: OnUnitInactiveSec=5min: it counts from the end of a "
        "run, and every from its start",
    ]
    assert [told.partition(",")[0] for told in found.left_out] == [
        "/etc/cron.d/x:1: @reboot is no schedule; told in a comment",
        "/etc/cron.d/x.bak: cron passes it over for its name",
        "/etc/cron.weekly: man-db: no crontab that was read runs them",
        "/etc/anacrontab:3: 'cron.weekly' (7 d) stays with anacron",
    ]
    text = jobs_text(found, "toml")
    assert all(told in text for told in found.left_out)
    assert "# Not imported, line 3: 61 * * * * root x" in text


def test_timers_that_are_enabled_are_read_with_what_lies_on_top_of_them(root: Path) -> None:
    enable(root, "work", "[Timer]\nOnCalendar=daily\nPersistent=yes\n", ONESHOT)
    write(root, "/usr/lib/systemd/system/work.timer", "[Timer]\nOnCalendar=hourly\n")
    write(
        root,
        "/etc/systemd/system/work.timer.d/a.conf",
        "[Timer]\nOnCalendar=\nOnCalendar=03:30\nRandomizedDelaySec=10min\n",
    )
    write(root, "/usr/lib/systemd/system/idle.timer", "[Timer]\nOnCalendar=daily\n")
    write(root, "/usr/lib/systemd/system/idle.service", ONESHOT)
    enable(root, "masked", "[Timer]\nOnCalendar=daily\n", ONESHOT)
    masked = root / "etc/systemd/system/masked.timer"
    masked.unlink()
    masked.symlink_to("/dev/null")
    found = read(root)
    (job,) = jobs(found).values()
    assert (job.name, job.cron, job.jitter, job.catch_up) == (
        "web1-work", "30 3 * * *", 600, "latest",
    )  # fmt: skip
    assert (job.dst_gap, job.dst_repeat, job.overlap) == ("skip", "first", "skip")
    assert set(jobs(read(root, every=True))) == {"web1-work", "web1-idle"}


def test_a_service_that_no_job_can_say_all_of_is_started_by_systemctl(root: Path) -> None:
    enable(root, "up", "[Timer]\nOnCalendar=daily\n", f"{ONESHOT}ExecCondition=/bin/ok\n")
    found = read(root)
    assert jobs(found)["web1-up"].command == "systemctl start --wait up.service"
    assert "# ExecCondition=/bin/ok: a job has no condition" in jobs_text(found, "toml")


def test_crontabs_and_timers_stand_in_one_file_and_no_two_have_the_same_name(root: Path) -> None:
    write(root, "/etc/cron.d/a", "A=1\n1 1 * * * root work\n")
    write(root, "/etc/cron.d/b", "B=2\n2 2 * * * root work\n")
    enable(root, "work", "[Timer]\nOnCalendar=daily\n", ONESHOT)
    found = jobs(read(root, prefix="", host="other", timezone="UTC", roles=("db",)))
    assert list(found) == ["work", "work-2", "work-3"]
    assert [job.overlap for job in found.values()] == ["allow", "allow", "skip"]
    assert [job.grace for job in found.values()] == [5, 5, 90]
    assert found["work-2"].env == {"PATH": "/usr/bin:/bin", "B": "2"}
    assert {tuple(job.roles) for job in found.values()} == {("db",)}


def test_to_switch_each_line_is_commented_out_and_each_timer_stopped(root: Path) -> None:
    write(root, "/etc/cron.d/a", "1 1 * * * root one\n\n2 2 * * * root two\n")
    write(root, "/var/spool/cron/crontabs/nobody", "# DO NOT EDIT THIS FILE\n#\n#\n1 1 * * * x\n")
    enable(root, "work", "[Timer]\nOnCalendar=daily\n", ONESHOT)
    wants = root / "usr/lib/systemd/system/timers.target.wants"
    wants.mkdir(parents=True)
    write(root, "/usr/lib/systemd/system/own.timer", "[Timer]\nOnCalendar=daily\n")
    write(root, "/usr/lib/systemd/system/own.service", ONESHOT)
    (wants / "own.timer").symlink_to("../own.timer")
    found = read(root)
    origins = [job.origin for job in found.jobs if job.origin is not None]
    assert list(disabling(origins, Root(str(root)))) == [
        "sed -i '1s/^/#/;3s/^/#/' /etc/cron.d/a",
        "sed -e '1{/^# DO NOT EDIT/{N;N;d}}' -e '4s/^/#/' /var/spool/cron/crontabs/nobody "
        "| crontab -u nobody -",
        "systemctl mask --now own.timer",
        "systemctl disable --now work.timer",
    ]
