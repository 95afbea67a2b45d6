"""How a job runs."""

from typing import Literal

from jober.job.fields.field import SECONDS_AT_MOST, FieldGroup, job_field


class HowFields(FieldGroup):
    """The process of a run, what it may use, and what is kept of it."""

    timeout: int | float | None = job_field(
        "Seconds after which a run is stopped, and is a timeout. A function needs process = true.",
        expects="a number of seconds above 0, at most a year",
        mend="timeout = 30",
        gt=0,
        le=SECONDS_AT_MOST,
    )
    grace: int | float = job_field(
        "Seconds between TERM and KILL when a run is stopped.",
        expects="a number of seconds from 0 to 3600",
        mend="grace = 5",
        default=5,
        ge=0,
        le=3600,
    )
    process: bool = job_field(
        "Run the function in a process of its own, which can be stopped, and has its own cwd and "
        "env. For call, and for script with a function; all else has one anyhow.",
        expects="true or false",
        mend="process = true",
        default=False,
    )
    cwd: str | None = job_field(
        "The directory to run in; it stays as written, and is found on the host that runs.",
        expects="text",
        mend='cwd = "/srv/app"',
        told_default="none, which is the agent's own directory",
    )
    env: dict[str, str] = job_field(
        "Variables set on top of the agent's environment; secrets by reference, as "
        '"secret:file:/run/secrets/pass".',
        expects="a table of texts",
        mend='env = { LANG = "C", RETRIES = "3" }, the values in quotes',
        default={},
    )
    env_file: str | None = job_field(
        "A file of NAME=value lines on the host that runs, read when a run begins; env goes over "
        "it.",
        expects="text",
        mend='env_file = "/etc/app.env"',
    )
    secret: list[str] = job_field(
        "Names of variables of env and env_file whose values are masked in the output, the "
        "traceback, the reason and the result.",
        expects="a list of texts",
        mend='secret = ["PASSWORD"]',
        default=[],
    )
    user: str | None = job_field(
        "The user to run as, by name or number; the agent must be root.",
        expects="text",
        mend='user = "backup"',
        told_default="none, which is the agent's own user",
    )
    group: str | None = job_field(
        "The group to run as, by name or number; the agent must be root.",
        expects="text",
        mend='group = "backup"',
        told_default="none, which is that of the user",
    )
    umask: str | None = job_field(
        "The permissions that new files do not get, in octal.",
        expects="octal digits as text",
        mend='umask = "027"',
        told_default="none, which is the agent's own",
    )
    nice: int | None = job_field(
        "The niceness, -20 for the most of the processor and 19 for the least; below 0 the agent "
        "must be root.",
        expects="a number from -20 to 19",
        mend="nice = 10",
        told_default="none, which is the agent's own",
        ge=-20,
        le=19,
    )
    memory: int | str | None = job_field(
        "The most memory that a run may use: bytes, or text with K, M, G or T.",
        expects="a number of bytes, or text",
        mend='memory = "512M"',
    )
    cpus: int | float | None = job_field(
        "How many processors a run may keep busy, where the host can limit it (cgroup v2).",
        expects="a number above 0, at most 4096",
        mend="cpus = 1.5",
        gt=0,
        le=4096,
    )
    cpu_time: int | float | None = job_field(
        "Seconds of processor time after which a process of the run is ended.",
        expects="a number of seconds above 0, at most a year",
        mend="cpu_time = 60",
        gt=0,
        le=SECONDS_AT_MOST,
    )
    max_runs_per_process: int = job_field(
        "With process = true, how many runs a process serves before another takes its place.",
        expects="a number of runs, 1 or more",
        mend="max_runs_per_process = 1",
        default=100,
        ge=1,
        le=1_000_000,
    )
    output: Literal["memory", "file", "none"] = job_field(
        "What is kept of what a run writes: its beginning and end in Redis (memory), the whole in "
        "a file on the host as well (file), or nothing (none).",
        expects="'memory', 'file' or 'none'",
        mend="use 'memory', 'file' or 'none'",
        default="memory",
    )
    stderr: Literal["split", "merge"] = job_field(
        "Keep stderr apart from stdout, or have both as one stream, in the order written.",
        expects="'split' or 'merge'",
        mend="use 'split' or 'merge'",
        default="split",
    )
    locals: bool = job_field(
        "Show the local variables in the traceback of a function that raised.",
        expects="true or false",
        mend="locals = true",
        default=False,
    )
