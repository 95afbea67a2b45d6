"""What people write: a text is read, and what it means can be used; or it is refused in words."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from jober import roles
from jober.errors import DefinitionError, JoberError
from jober.importing import (
    CrontabOptions,
    Imported,
    SystemdOptions,
    jobs_text,
    read_crontab,
    read_systemd,
    units_of_cat,
)
from jober.job import Job
from jober.jobs_file import parse_jobs
from jober.jobs_file.ics import read_ics
from jober.log_line import LogLine, as_text, read_lines
from jober.schedule import parse
from jober.store.connection import connect
from jober_worker.config_file import ConfigFile
from jober_worker.env_file import EnvFileUnreadable, parse_env
from jober_worker.options import effective
from jober_worker.settings import Settings
from tests.fuzz.anything import VALUE, anything_near, as_bytes
from tests.fuzz.target import Check, Target

NOW_MS = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp() * 1000)
ZONES = ("UTC", "Europe/Warsaw", "Australia/Lord_Howe")
CRONS = (
    "0 3 * * *", "*/5 * * * * *", "@daily", "0 0 L * *", "0 0 15W * *", "0 9 * * mon#2",
    "H H(0-7) * * 1-5", "~ 4 * * *", "0,30 2 29 2 ?", "59 23 31 12 0-7", "1-59/7 */2 * jan-mar sun",
)  # fmt: skip
TIMES = ("1h", "90", "2026-12-25", "2026-03-29T02:30:00", "12-25", "08:00-18:00", "sat", "week")
JOBS_TOML = (
    '[defaults]\ntimezone = "Europe/Warsaw"\nroles = ["db"]\n[limits]\ndatabase = 2\n'
    '[calendars.holidays]\ndates = ["12-25", "2026-12-24..2027-01-01"]\n'
    '[jobs.nightly]\ncommand = "backup --all"\ncron = "0 3 * * *"\nexclude = ["holidays", "sat"]\n'
    'limits = ["database"]\ntimeout = 60\n[jobs.nightly.env]\nA = "b"\n',
    '[jobs."a.b"]\ncall = "pkg.mod:f"\nargs = [1, "x", {y = 2.5}]\nevery = [1, "hour"]\n'
    'at = {minute = 5}\nretries = 3\noverlap = "queue-one"\nnotes = """two\nlines"""\n',
)
JOBS_YAML = (
    "defaults:\n  roles: [db]\njobs:\n  nightly:\n    command: [backup, --all]\n"
    "    cron: '0 3 * * *'\n    env: {A: b}\n  hourly:\n    call: pkg.mod:f\n    every: 3600\n"
    "    kwargs: &k {x: 1}\n  other: {shell: 'a | b', any_of: [{every: 60}], kwargs: *k}\n",
)
CRONTABS = (
    "MAILTO=root\nCRON_TZ=Europe/Warsaw\n# backups\n0 3 * * * /usr/bin/backup --all >/dev/null\n"
    "*/5 * * * * cd /srv && ./poll % input%more\n@reboot start\n@daily clean\n",
    "SHELL=/bin/sh\nPATH=/bin:/usr/bin\n17 * * * * root run-parts /etc/cron.hourly\n",
)
UNITS = (
    "# /etc/systemd/system/a.timer\n[Unit]\nDescription=A\n[Timer]\nOnCalendar=Mon..Fri *-*-* "
    "03:00:00 Europe/Warsaw\nPersistent=true\nRandomizedDelaySec=5min\n\n"
    '# /etc/systemd/system/a.service\n[Service]\nType=oneshot\nUser=db\nEnvironment=A=b "C=d e"\n'
    "ExecStart=/usr/bin/backup --all 'a b' %n $A\nTimeoutStartSec=1h 30min\n",
    "# /lib/systemd/system/b.timer\n[Timer]\nOnUnitActiveSec=15min\nOnBootSec=1\nUnit=c.service\n"
    "# /lib/systemd/system/c.service\n[Service]\nExecStart=-/bin/true \\\n  x\n",
)
EVENTS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:"
    "20261225\r\nDTEND;VALUE=DATE:20261227\r\nRRULE:FREQ=YEARLY;COUNT=5\r\nSUMMARY:Holidays\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n",
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:2\r\nDTSTART;TZID=Europe/Warsaw:20260329T023000\r\n"
    "DURATION:PT26H\r\nRDATE:20260401T000000\r\nEXDATE:20260330T023000\r\nRRULE:FREQ=WEEKLY;BYDAY"
    "=MO,WE;INTERVAL=2;UNTIL=20270101T000000Z\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:2\r\n"
    "RECURRENCE-ID:20260406T023000\r\nDTSTART:20260407T000000Z\r\nSTATUS:CANCELLED\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n",
)
WORKER_FILES = (
    'redis = "redis://redis.example.org/0"\nhost = "db1"\nroles = ["db", "web"]\nslots = 4\n'
    "drain = 30.5\nlog_keep = 7\naccept_pickle = false\nfilter = 'a.b:c'\n[allow]\n"
    'commands = ["true", ["git", "pull"]]\ncallables = ["reports.*"]\nusers = ["db"]\njobs = []\n',
)
ENV_FILES = ("A=1\nexport B='two words' # told\nC=\"a\\n$x\"\n# no\nD=a b # c\n",)
URLS = (
    "redis://:password@host:6379/0", "unix:///path/redis.sock?db=0", "rediss://h/1?ssl_ca_certs=x",
    "redis+sentinel://user:pw@a:26379,b/mymaster/0?sentinel_password=x", "redis://[::1]:6379",
)  # fmt: skip
ROLES = ("db", "a+b", "a+!b", "!e", "@host", "a,b+c")
LOG_LINES = ('{"at": 1, "level": "INFO", "logger": "a", "message": "x\\ny"}\n', "no JSON\n")


def plain(read: Callable[[Any], object]) -> Callable[[Path], Any]:
    """A check that needs nothing: what it raises is a refusal in words, or a defect."""

    @contextmanager
    def open(folder: Path) -> Iterator[Check]:
        def check(case: Any) -> None:
            try:
                read(case)
            except JoberError as error:
                assert str(error).strip(), "it is refused without a word"

        yield check

    return open


def read_cron(case: tuple[str, str]) -> None:
    text, zone = case
    schedule = parse({"cron": text}, zone, name="x")
    fire = schedule.next_after_ms(NOW_MS, NOW_MS)
    assert fire is None or fire > NOW_MS


def read_fields(fields: dict[str, Any]) -> None:
    job = Job.from_spec("x", {"command": "true", **fields})
    assert job.schedule_text
    if job.schedule is not None:
        fire = job.schedule.next_after_ms(NOW_MS, NOW_MS)
        assert fire is None or fire > NOW_MS
    assert Job.from_json("x", job.to_json()) == job


def read_toml(text: str) -> None:
    _read_jobs(text, "toml")


def read_yaml(text: str) -> None:
    _read_jobs(text, "yaml")


def _read_jobs(text: str, format: Any) -> None:
    for job in parse_jobs(text, format, "a file").jobs:
        assert Job.from_json(job.name, job.to_json()) == job


def import_crontab(case: tuple[str, bool]) -> None:
    text, system = case
    _imported(read_crontab(text, CrontabOptions(path="tab", system=system, timezone="UTC")))


def import_systemd(text: str) -> None:
    _imported(read_systemd(units_of_cat(text), SystemdOptions(timezone="UTC")))


def _imported(imported: Imported) -> None:
    """What is told as a jobs file is one, with all that was imported."""
    for format in ("toml", "yaml"):
        read = parse_jobs(jobs_text(imported, format), format, "x").jobs
        assert [job.name for job in read] == [job.name for job in imported.jobs]


def read_calendar(data: bytes) -> None:
    try:
        days = read_ics(data)
    except ValueError as error:
        raise DefinitionError(str(error)) from None
    Job.from_spec("x", {"command": "true", "every": 3600, "exclude": days[:50]})


def read_worker_file(text: str) -> None:
    file = ConfigFile("worker.toml", text)
    try:
        told = effective({}, {}, file.values, file.path)
    except DefinitionError as error:
        raise file.place(error) from None
    Settings.of(told, file.allow)


def read_env(text: str) -> None:
    try:
        found = parse_env(text, "x.env")
    except EnvFileUnreadable as error:
        raise DefinitionError(str(error)) from None
    assert not any("\0" in value for value in found.values())


def read_url(text: str) -> None:
    connect(text)


def read_roles(text: str) -> None:
    roles.parse_agent_roles(text)
    roles.queue_name(text.split(","))


def read_log(data: bytes) -> None:
    lines = list(read_lines(data))
    as_text(data).decode("utf-8", "replace")
    for line in lines:
        if isinstance(line, LogLine):
            line.to_dict()
            line.to_bytes()


LOG_RECORDS = st.fixed_dictionaries(
    {"at": VALUE | st.sampled_from([1, 1e30, -1e15, "1"]), "level": VALUE, "message": VALUE},
    optional={"logger": VALUE},
).map(lambda told: json.dumps({"logger": "a", **told}, default=repr).encode("utf-8"))

# What each field of a schedule is near to, else anything.
FIELDS = {
    "cron": anything_near(CRONS),
    "every": st.sampled_from([60, 0.5, [2, "week"], "1h"]) | anything_near(TIMES),
    "at": st.dictionaries(
        st.sampled_from(["day", "hour", "minute", "second"]), st.integers(-1, 70)
    ),
    "date": anything_near(TIMES),
    "any_of": st.lists(st.fixed_dictionaries({"cron": anything_near(CRONS)}), max_size=3),
    "start": anything_near(TIMES),
    "end": anything_near(TIMES),
    "only_between": anything_near(TIMES),
    "exclude": st.lists(anything_near(TIMES), max_size=3),
    "jitter": st.integers(0, 10**6),
    "timezone": anything_near(ZONES),
    "max_fires": st.integers(-1, 10),
    "shift": st.sampled_from(["skip", "next", "previous"]),
}
SCHEDULES = st.fixed_dictionaries(
    {}, optional={name: near | near | VALUE for name, near in FIELDS.items()}
)

TARGETS = (
    Target(
        name="cron text",
        cases=20_000,
        few=150,
        given=st.tuples(
            anything_near(CRONS) | st.text("0123456789*/-,?L#WH~() @", max_size=20),
            st.sampled_from(ZONES),
        ),
        open=plain(read_cron),
    ),
    Target(name="schedule", cases=8_000, few=100, given=SCHEDULES, open=plain(read_fields)),
    Target(
        name="jobs TOML",
        cases=8_000,
        few=75,
        given=anything_near(JOBS_TOML),
        open=plain(read_toml),
    ),
    Target(
        name="jobs YAML",
        cases=5_000,
        few=50,
        given=anything_near(JOBS_YAML),
        open=plain(read_yaml),
    ),
    Target(
        name="crontab",
        cases=5_000,
        few=50,
        given=st.tuples(anything_near(CRONTABS), st.booleans()),
        open=plain(import_crontab),
    ),
    Target(
        name="systemd timers",
        cases=5_000,
        few=50,
        given=anything_near(UNITS),
        open=plain(import_systemd),
    ),
    Target(
        name="iCalendar",
        cases=5_000,
        few=50,
        given=as_bytes(anything_near(EVENTS)),
        open=plain(read_calendar),
    ),
    Target(
        name="worker.toml",
        cases=5_000,
        few=50,
        given=anything_near(WORKER_FILES),
        open=plain(read_worker_file),
    ),
    Target(
        name="env file", cases=5_000, few=50, given=anything_near(ENV_FILES), open=plain(read_env)
    ),
    Target(
        name="Redis address", cases=5_000, few=50, given=anything_near(URLS), open=plain(read_url)
    ),
    Target(name="roles", cases=5_000, few=50, given=anything_near(ROLES), open=plain(read_roles)),
    Target(
        name="log records",
        cases=5_000,
        few=50,
        given=as_bytes(anything_near(LOG_LINES)) | LOG_RECORDS,
        open=plain(read_log),
    ),
)
