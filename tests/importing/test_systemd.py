"""Timers and services as jobs: exactly, or refused with the line and the reason."""

from typing import Any

import pytest

from jober.errors import DefinitionError
from jober.importing import Imported, SystemdOptions, Unit, jobs_text, read_systemd, units_of_cat
from jober.job import Job
from jober.jobs_file import parse_jobs

DAILY = "[Timer]\nOnCalendar=daily\n"
SERVICE = "[Service]\nType=oneshot\nExecStart=/bin/x\n"


def read(timer: str = DAILY, service: str = SERVICE, **options: Any) -> Imported:
    units = [
        Unit.of("a.timer", [("a.timer", timer)]),
        Unit.of("a.service", [("a.service", service)]),
    ]
    return read_systemd(units, SystemdOptions(**{"timezone": "UTC", **options}))


def jobs(imported: Imported) -> dict[str, Job]:
    toml = parse_jobs(jobs_text(imported, "toml"), "toml", "a.toml").jobs
    assert toml == parse_jobs(jobs_text(imported, "yaml"), "yaml", "a.yaml").jobs
    return {job.name: job for job in toml}


def one(timer: str = DAILY, service: str = SERVICE, **options: Any) -> Job:
    imported = read(timer, service, **options)
    assert not imported.problems
    return jobs(imported)["a"]


def refused(timer: str = DAILY, service: str = SERVICE) -> list[str]:
    imported = read(timer, service)
    assert not imported.jobs
    assert parse_jobs(jobs_text(imported, "toml"), "toml", "a.toml").jobs == ()
    return [str(problem) for problem in imported.problems]


# When


def test_a_timer_and_its_service_are_a_job() -> None:
    job = one(
        "[Unit]\nDescription=When\n[Timer]\nOnCalendar=Mon..Fri 03:00\n",
        "[Unit]\nDescription=Nightly\nDocumentation=man:x(1) https://example.org\n"
        "[Service]\nType=oneshot\nExecStart=/bin/x 'a b' c\nWorkingDirectory=/srv\n"
        'Environment="A=b c" D=e\nEnvironment=F=%n\nTimeoutStartSec=2min\nTimeoutStopSec=30\n',
        timezone="Europe/Warsaw",
        roles=("db",),
    )
    assert job.spec() == {
        "title": "Nightly",
        "command": "/bin/x 'a b' c",
        "cron": "0 3 * * 1-5",
        "timezone": "Europe/Warsaw",
        "dst_gap": "skip",
        "dst_repeat": "first",
        "roles": ["db"],
        "catch_up": "none",
        "cwd": "/srv",
        "env": {"A": "b c", "D": "e", "F": "a.service"},
        "timeout": 120,
        "grace": 30,
        "notes": "man:x(1) https://example.org",
    }


def test_several_times_are_any_of_them() -> None:
    job = one("[Timer]\nOnCalendar=03:00\nOnCalendar=Sat 12:00\nOnCalendar=03:00\n")
    assert job.any_of == [{"cron": "0 3 * * *"}, {"cron": "0 12 * * 6"}]


def test_an_empty_setting_takes_back_those_before() -> None:
    assert one("[Timer]\nOnCalendar=03:00\nOnBootSec=5\nOnCalendar=\nOnCalendar=04:00").cron == (
        "0 4 * * *"
    )


def test_a_zone_of_the_timer_is_that_of_the_job() -> None:
    assert one("[Timer]\nOnCalendar=03:00 Asia/Tokyo").timezone == "Asia/Tokyo"
    (problem,) = refused("[Timer]\nOnCalendar=03:00 Asia/Tokyo\nOnCalendar=04:00\n")
    assert problem.startswith("a.timer:3: OnCalendar=04:00: a job has one time zone")


@pytest.mark.parametrize(
    ("value", "catch_up"), [("true", "latest"), ("yes", "latest"), ("false", "none")]
)
def test_persistent_is_to_catch_up(value: str, catch_up: str) -> None:
    assert one(f"{DAILY}Persistent={value}").catch_up == catch_up


def test_a_random_delay_is_jitter() -> None:
    assert one(f"{DAILY}RandomizedDelaySec=1h 30min").jitter == 5400


def test_an_interval_that_begins_somehow_is_every() -> None:
    imported = read("[Timer]\nOnBootSec=15min\nOnUnitActiveSec=1d\n")
    assert jobs(imported)["a"].every == [1, "day"]
    assert "the interval begins when the job is first applied" in imported.warnings[0]


@pytest.mark.parametrize(
    ("timer", "problem"),
    [
        ("OnCalendar=*:0/61", "a.timer:2: OnCalendar=*:0/61: '*:0/61': minute '0/61' never comes"),
        ("OnCalendar=2-30", "a.timer: cron: '0 0 30 2 *' can never fire"),
        ("OnBootSec=5min", "a.timer:2: OnBootSec=5min: it starts once"),
        ("OnUnitActiveSec=5min", "nothing starts the first run"),
        ("OnBootSec=1\nOnUnitInactiveSec=5min", "it counts from the end of a run"),
        ("OnCalendar=daily\nOnUnitActiveSec=5min", "begins anew at each time of OnCalendar"),
        ("OnBootSec=1\nOnUnitActiveSec=5\nOnUnitActiveSec=6", "there are two intervals"),
        ("OnCalendar=daily\nFixedRandomDelay=yes", "jitter is another at each"),
        ("OnCalendar=daily\nWakeSystem=yes", "jober wakes no host that sleeps"),
        ("OnCalendar=daily\nNewThing=1", "NewThing=1: not known to this import"),
        ("OnCalendar=daily\nRandomizedDelaySec=2d", "a.timer: jitter: 172800 is not a number of"),
        ("Persistent=maybe\nOnCalendar=daily", "neither yes nor no"),
        ("", "a.timer: it has no OnCalendar or OnUnitActiveSec"),
        ("OnCalendar=daily\nUnit=b.service", "a.timer: it starts b.service, which is not there"),
        ("OnCalendar=daily\nUnit=b.target", "only services are jobs"),
    ],
)
def test_a_timer_that_a_job_cannot_be_is_refused(timer: str, problem: str) -> None:
    assert problem in "\n".join(refused(f"[Timer]\n{timer}\n"))


# What


def test_several_commands_go_on_while_all_is_well() -> None:
    job = one(
        service="[Service]\nType=oneshot\nExecStartPre=-/bin/a 'x y'\nExecStart=/bin/b ; /bin/c\n"
        "ExecStart=/bin/d $$\nExecStartPost=/bin/e\n"
    )
    assert job.shell
    assert job.command == "{ /bin/a 'x y' || :; } && /bin/b && /bin/c && /bin/d '$' && /bin/e"


def test_a_command_that_may_fail_is_a_success() -> None:
    assert one(service="[Service]\nExecStart=-/bin/x").command == "{ /bin/x || :; }"


def test_without_a_directory_it_starts_where_systemd_starts_it() -> None:
    assert one().cwd == "/"


def test_the_longest_run_of_a_service_that_is_no_oneshot() -> None:
    job = one(service="[Service]\nExecStart=/bin/x\nRuntimeMaxSec=90\nTimeoutStartSec=5\n")
    assert (job.timeout, job.grace) == (90, 90)
    assert one(service=f"{SERVICE}TimeoutStartSec=infinity").timeout is None


def test_what_its_process_is_given_is_taken_over() -> None:
    imported = read(
        service=f"{SERVICE}User=%p\nGroup=www\nUMask=0027\nNice=-5\nMemoryMax=1.5G\nCPUQuota=150%\n"
        "EnvironmentFile=/etc/x\nStandardOutput=journal\n"
    )
    job = jobs(imported)["a"]
    assert (job.user, job.group, job.umask, job.nice) == ("a", "www", "0027", -5)
    assert (job.memory, job.cpus, job.env_file) == ("1.5G", 1.5, "/etc/x")
    assert not imported.warnings
    assert "a job with `user` or `group` needs an agent that is root" in (
        jobs_text(imported, "toml").lower()
    )
    assert one(service=f"{SERVICE}MemoryMax=infinity\nCPUQuota=200%\n").cpus == 2


def test_what_its_process_cannot_be_given_alike_is_told() -> None:
    imported = read(
        service=f"{SERVICE}User=x\nDynamicUser=yes\nMemoryMax=20%\nEnvironment=A=1\n"
        "EnvironmentFile=-/etc/x\nEnvironmentFile=/etc/y\nProtectSystem=full\n"
    )
    job = jobs(imported)["a"]
    assert (job.user, job.memory, job.env_file) == (None, None, "/etc/x")
    assert imported.warnings == (
        "a.service:5: DynamicUser=yes: systemd makes a user for the run; a job has one that is "
        "there",
        "a.service:6: MemoryMax=20%: a share is another amount on each host: set memory",
        "a.service:8: EnvironmentFile=-/etc/x: a run fails on a host where the file is missing",
        "a.service:8: EnvironmentFile=-/etc/x: what is in env too is taken from env; systemd takes "
        "it from the file",
        "a.service:9: EnvironmentFile=/etc/y: a job has one env_file: put its lines into that",
        "a.service:10: ProtectSystem=full: not taken over; the agent's own unit may set it",
    )
    assert "# ProtectSystem=full: not taken over" in jobs_text(imported, "toml")
    globbed = read(service=f"{SERVICE}EnvironmentFile=/etc/x/*.env\n")
    assert jobs(globbed)["a"].env_file is None
    assert "by its path from /: name it" in globbed.warnings[0]


def test_variables_of_a_file_are_put_in_at_the_run() -> None:
    job = one(service="[Service]\nEnvironmentFile=/x\nExecStart=/bin/x ${KEY} 'a b'")
    assert job.shell
    assert job.command == "/bin/x \"${KEY}\" 'a b'"


@pytest.mark.parametrize(
    ("service", "problem"),
    [
        ("Type=oneshot", "a.service: there is no ExecStart"),
        ("Type=forking\nExecStart=/x", "a.service:2: Type=forking: a run ends with its first"),
        ("ExecStart=/x\nExecStart=/y", "only Type=oneshot may run several"),
        ("ExecStart=+/x", "a.service:2: ExecStart=+/x: the prefix '+' runs with all privileges"),
        ("ExecStart=/x %H", "'%H' is known only to systemd"),
        ("ExecStart=/x $LATER", "$LATER is set by no Environment="),
        ("EnvironmentFile=/e\nExecStart=/x $L", "$L becomes any number of words"),
        ("ExecStart=/x\nRemainAfterExit=yes", "the timer would start it once"),
        ("ExecStart=/x\nRestart=on-failure", "Restart=on-failure"),
        ("ExecStart=/x\nExecStopPost=/y", "nothing runs after a run"),
        ("ExecStart=/x\nExecStartPost=/y", "it runs beside the main process"),
        ("ExecStart=/x\nExecCondition=/y", "a job has no condition"),
        ("ExecStart=/x\nSuccessExitStatus=3 SIGKILL", "as numbers from 0 to 255"),
        (
            "Type=oneshot\nExecStart=/x\nExecStart=/y\nSuccessExitStatus=3",
            "it holds for each of 2 commands",
        ),
        ("ExecStart=/x\nWorkingDirectory=~", "only a path from / is the same on each host"),
        ("ExecStart=/x\nTimeoutStopSec=infinity", "a run that does not end is killed"),
        ("ExecStart=/x\nEnvironment=A", "'A' sets no variable"),
        ("ExecStart=/x\nUser=%H", "'%H' is known only to systemd"),
        ("ExecStart=/x\nUser=a b", "user: 'a b' cannot be the name of a user"),
        ("ExecStart=/x\nUMask=9", "a.service:3: UMask=9: it is not an octal number"),
        ("ExecStart=/x\nNice=low", "a.service:3: Nice=low: it is not a number from -20 to 19"),
        ("ExecStart=/x\nNice=30", "nice: 30 is not a number from"),
        ("ExecStart=/x\nMemoryMax=much", "MemoryMax=much: it is not an amount of memory"),
        ("ExecStart=/x\nCPUQuota=0.5", "CPUQuota=0.5: it is not a share of a processor"),
        ("ExecStart=/x\nKillMode=process", "all processes of a run are stopped"),
        (
            "Type=oneshot\nExecStart=/x\nExecStart=/y\nTimeoutStartSec=5",
            "it holds for each of 2 commands",
        ),
        ("ExecStart=/x\n[Unit]\nConditionACPower=true", "a job has no condition"),
    ],
)
def test_a_service_that_a_job_cannot_be_is_refused(service: str, problem: str) -> None:
    assert problem in "\n".join(refused(service=f"[Service]\n{service}\n"))


def test_other_exit_statuses_that_are_a_success_are_taken_over() -> None:
    more = "SuccessExitStatus=9\nSuccessExitStatus=\nSuccessExitStatus=3 75\nSuccessExitStatus=2\n"
    assert one(service=f"{SERVICE}{more}").ok_exit_codes == [0, 2, 3, 75]
    assert one(service=f"{SERVICE}SuccessExitStatus=0\n").ok_exit_codes == [0]


def test_what_only_repeats_the_default_is_passed_over() -> None:
    imported = read(service=f"{SERVICE}KillMode=control-group\nKillSignal=SIGTERM\nX-Own=1\n")
    assert jobs(imported) and not imported.warnings


# Units


def test_a_template_is_read_for_its_instance() -> None:
    units = [
        Unit.of("b@db.timer", [("b@db.timer", DAILY)]),
        Unit.of("b@.service", [("b@.service", "[Service]\nExecStart=/bin/x %i %I %n %p\n")]),
    ]
    imported = read_systemd(units, SystemdOptions(timezone="UTC"))
    assert jobs(imported)["b-db"].command == "/bin/x db db b@db.service b"


def test_a_template_without_instance_is_refused() -> None:
    imported = read_systemd([Unit.of("b@.timer", [("b@.timer", DAILY)])], SystemdOptions())
    assert "does not say of which instances" in str(imported.problems[0])


def test_lines_go_on_after_a_backslash_and_remarks_among_them_do_not_count() -> None:
    job = one(service="[Service]\n# a\n; b\nExecStart=/bin/x \\\n  # c\n  a \\\n b\n")
    assert job.command == "/bin/x a b"


def test_drop_ins_come_on_top() -> None:
    timer = Unit.of(
        "a.timer", [("a.timer", DAILY), ("o.conf", "[Timer]\nOnCalendar=\nOnCalendar=05:00")]
    )
    service = Unit.of("a.service", [("a.service", SERVICE)])
    imported = read_systemd([timer, service], SystemdOptions(timezone="UTC"))
    assert jobs(imported)["a"].cron == "0 5 * * *"


def test_units_are_read_as_systemctl_prints_them() -> None:
    text = (
        f"# /lib/systemd/system/a.timer\n{DAILY}\n# /etc/systemd/system/a.timer.d/o.conf\n"
        f"[Timer]\nOnCalendar=05:00\n\n# /lib/systemd/system/a.service\n# about\n{SERVICE}"
    )
    imported = read_systemd(units_of_cat(text), SystemdOptions(timezone="UTC"))
    assert jobs(imported)["a"].any_of == [{"cron": "0 0 * * *"}, {"cron": "0 5 * * *"}]
    with pytest.raises(DefinitionError, match="systemctl cat"):
        units_of_cat(DAILY)


def test_what_is_no_unit_file_is_told_with_its_line() -> None:
    with pytest.raises(DefinitionError, match="a.timer:2: 'what' is no setting of a section"):
        Unit.of("a.timer", [("a.timer", "[Timer]\nwhat\n")])
