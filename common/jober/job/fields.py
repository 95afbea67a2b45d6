"""The fields of a job, each with what it is, what it expects, and its default."""

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_SECONDS_AT_MOST = 365 * 86_400


def _field(
    doc: str, *, expects: str, mend: str, default: Any = None, told_default: str = "", **limits: Any
) -> Any:
    """A field whose doc ends with its default, and that says what it expects, and the mend."""
    shown = told_default or ("none" if default is None else json.dumps(default))
    if isinstance(default, list | dict):
        limits["default_factory"] = type(default)
    else:
        limits["default"] = default
    return Field(
        description=f"{doc} Default: {shown}.",
        json_schema_extra={"expects": expects, "mend": mend},
        **limits,
    )


class JobFields(BaseModel):
    """What a job is made of, each field checked by itself.

    The docs of the fields (`model_json_schema` tells them) each end with the default;
    `expects` and `mend`, beside them, are the words of the errors.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: str = Field(
        description="What the job is called: letters, digits, '-' and '_', a letter or digit "
        "first, at most 100. Default: none, it is always given.",
        json_schema_extra={"expects": "a name", "mend": 'name = "nightly"'},
    )

    # What runs: one of command, call, module, script.
    command: str | list[str] | None = _field(
        "A program and its arguments: text, split as a shell would (by shlex), or a list.",
        expects="text or a list of texts",
        mend='command = "df -h", or command = ["df", "-h"]',
    )
    shell: bool = _field(
        "Give the command, as one text, to /bin/sh -c.",
        expects="true or false",
        mend="shell = true",
        default=False,
    )
    call: str | None = _field(
        "A function, as module:function, called in a thread of the agent.",
        expects="text",
        mend='call = "pkg.mod:func"',
    )
    module: str | None = _field(
        "A module, run as by python -m.", expects="text", mend='module = "pkg.mod"'
    )
    script: str | None = _field(
        "The path of a Python file to run, or path:function to call a function of it. It stays "
        "as written: a relative one is found from cwd, on the host that runs it.",
        expects="text",
        mend='script = "./x.py" or "./x.py:func"',
    )
    args: list[Any] = _field(
        "Arguments by position, JSON values. A function takes them as they are; a program takes "
        "text as it is, and other values as JSON; a shell, quoted at the end of the command.",
        expects="a list",
        mend='args = [1, "two"]',
        default=[],
    )
    kwargs: dict[str, Any] = _field(
        "Arguments by name, JSON values. A program takes them as options after args: dry_run = "
        "true is --dry-run, count = 2 is --count 2, false is left out, a list is repeated.",
        expects="a table",
        mend="kwargs = { count = 2 }",
        default={},
    )

    # When: one of cron, every, date, any_of; none of them is by hand only.
    cron: str | None = _field(
        "A cron expression: five fields, or six with seconds first; @daily and its kin.",
        expects="text",
        mend='cron = "0 3 * * *"',
    )
    every: int | float | list[Any] | None = _field(
        "An interval: seconds, or [n, unit].",
        expects="a number of seconds or [n, unit]",
        mend='every = 30, or every = [1, "hour"]',
    )
    at: dict[str, Any] | None = _field(
        "Beside every = [n, unit]: the fields of the wall clock to fire at.",
        expects="a table",
        mend="at = { hour = 3, minute = 0 }",
    )
    date: str | None = _field(
        "A moment, once: ISO text, or a date of TOML or YAML; without an offset, in timezone.",
        expects="a date or ISO text",
        mend="date = 2026-11-21T03:00:00",
    )
    any_of: list[Any] | None = _field(
        "Several schedules in one: a list of tables, each with its own cron, every or date. "
        "Moments that coincide are one fire.",
        expects="a list of tables",
        mend='any_of = [{ cron = "0 3 * * *" }, { every = [1, "hour"] }]',
    )
    timezone: str = _field(
        "The time zone that the schedule is read in, by its IANA name.",
        expects="text",
        mend='timezone = "Europe/Warsaw"',
        default="UTC",
    )

    dst_gap: Literal["after", "skip"] | None = _field(
        "A time that the clock skips: fire at the first instant after it, or not at all.",
        expects="'after' or 'skip'",
        mend="use 'after' or 'skip'",
        told_default="skip for a cron whose minute or hour begins with *, else after",
    )
    dst_repeat: Literal["first", "last", "both"] | None = _field(
        "A time that the clock shows twice: fire at the first, the last, or both.",
        expects="'first', 'last' or 'both'",
        mend="use 'first', 'last' or 'both'",
        told_default="both for a cron whose minute or hour begins with *, else first",
    )
    start: str | None = _field(
        "No fire before this moment; an interval is counted from it.",
        expects="a date or ISO text",
        mend="start = 2026-11-21T03:00:00",
    )
    end: str | None = _field(
        "No fire after this moment; a date without a time is that whole day.",
        expects="a date or ISO text",
        mend="end = 2026-12-31",
    )
    jitter: int | float = _field(
        "Fire up to so many seconds later, by chance that each computation agrees on.",
        expects="a number of seconds from 0 to 86400",
        mend="jitter = 30",
        default=0,
        ge=0,
        le=86_400,
    )
    only_between: str | list[str] | None = _field(
        "The hours of the wall clock to fire in, the end not included, or a list of such; "
        '"22:00-06:00" is over midnight.',
        expects="text or a list of texts",
        mend='only_between = "08:00-18:00"',
    )
    exclude: list[str] = _field(
        'Days not to fire on: names of calendars, days of the week as "sat", dates as '
        '"2026-12-25", "2026-12-24..2027-01-01", or "12-25" for each year.',
        expects="a list of texts",
        mend='exclude = ["holidays", "sat", "sun"]',
        default=[],
    )
    shift: Literal["skip", "next", "previous"] = _field(
        "What becomes of a fire on an excluded day: it is not made, or moved to the next or the "
        "previous day that is not excluded, at the same time of day.",
        expects="'skip', 'next' or 'previous'",
        mend="use 'skip', 'next' or 'previous'",
        default="skip",
    )
    max_fires: int | None = _field(
        "Fire so many times at most, and then by hand only. Fires that are skipped or missed do "
        "not count.",
        expects="a number of fires, 1 or more",
        mend="max_fires = 1",
        ge=1,
        le=1_000_000_000,
    )

    # Where, and how many at once.
    roles: list[str] = _field(
        "Which hosts: any of these expressions, each a role, a+b (both) or a+!b (a, not b).",
        expects="a list of role expressions",
        mend='roles = ["db"], or roles = ["db+primary", "web"]',
        default=[],
        told_default='[], which is the role "default"',
    )
    on: Literal["any", "every"] = _field(
        "Run on any one host that matches, or on every live one.",
        expects="'any' or 'every'",
        mend="use 'any' or 'every'",
        default="any",
    )
    concurrency: int | None = _field(
        "How many runs at once over the whole fleet, runs by hand included.",
        expects="a number of runs, 1 or more",
        mend="concurrency = 1",
        told_default='none, which is 1 over the fleet with on = "any", '
        '1 on each host with on = "every", and no limit with overlap = "allow"',
        ge=1,
        le=1_000_000,
    )
    overlap: Literal["skip", "queue", "queue-one", "cancel-old", "allow"] = _field(
        "What a fire does while an earlier run is still going: be skipped (skip), wait for it "
        "(queue), wait unless another waits already (queue-one), have it cancelled and "
        "run in its place (cancel-old), or run beside it (allow).",
        expects="'skip', 'queue', 'queue-one', 'cancel-old' or 'allow'",
        mend="use 'skip', 'queue', 'queue-one', 'cancel-old' or 'allow'",
        default="skip",
    )
    catch_up: Literal["latest", "all", "none"] = _field(
        "Which of the fires that were missed (no leader, no Redis) run after all.",
        expects="'latest', 'all' or 'none'",
        mend="use 'latest', 'all' or 'none'",
        default="latest",
    )
    catch_up_limit: int = _field(
        'With catch_up = "all", how many of the latest at most.',
        expects="a number from 1 to 1000",
        mend="catch_up_limit = 100",
        default=100,
        ge=1,
        le=1000,
    )
    catch_up_window: int | float | None = _field(
        "How many seconds ago a missed fire may have been due to run after all; older ones stay "
        "missed.",
        expects="a number of seconds above 0, at most a year",
        mend="catch_up_window = 3600",
        gt=0,
        le=_SECONDS_AT_MOST,
    )

    # How.
    timeout: int | float | None = _field(
        "Seconds after which a run is stopped, and is a timeout. A function needs process = true.",
        expects="a number of seconds above 0, at most a year",
        mend="timeout = 30",
        gt=0,
        le=_SECONDS_AT_MOST,
    )
    grace: int | float = _field(
        "Seconds between TERM and KILL when a run is stopped.",
        expects="a number of seconds from 0 to 3600",
        mend="grace = 5",
        default=5,
        ge=0,
        le=3600,
    )
    process: bool = _field(
        "Run the function in a process of its own, which can be stopped, and has its own cwd and "
        "env. For call, and for script with a function; all else has one anyhow.",
        expects="true or false",
        mend="process = true",
        default=False,
    )
    cwd: str | None = _field(
        "The directory to run in; it stays as written, and is found on the host that runs.",
        expects="text",
        mend='cwd = "/srv/app"',
        told_default="none, which is the agent's own directory",
    )
    env: dict[str, str] = _field(
        "Variables set on top of the agent's environment.",
        expects="a table of texts",
        mend='env = { LANG = "C", RETRIES = "3" }, the values in quotes',
        default={},
    )

    # For people.
    title: str | None = _field("One line for lists and pages.", expects="text", mend='title = "…"')
    tags: list[str] = _field(
        "Words to find the job by.",
        expects="a list of texts",
        mend='tags = ["backup"]',
        default=[],
    )
    notes: str | None = _field(
        "What whoever is called at night should know.", expects="text", mend='notes = "…"'
    )
