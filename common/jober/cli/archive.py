"""`jober archive`: ended runs out of Redis, into SQL."""

from typing import Annotated

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import JsonOption, Option, RedisOption, WrongCall
from jober.words import count

ArchiveUrlOption = Annotated[
    str | None,
    Option(
        "--archive-url",
        metavar="URL",
        help="Where the archive is, as sqlite:////var/lib/jober/archive.db or "
        "postgresql+psycopg://user:password@host/database. (default: JOBER_ARCHIVE_URL)",
        show_default=False,
    ),
]


def archive(
    older_than: Annotated[
        str,
        Option("--older-than", metavar="SPAN", help="Those that ended so long ago: 90, 30m, 7d."),
    ] = "1d",
    job: Annotated[
        str | None, Option("--job", metavar="NAME", help="Of this job. (default: of all)")
    ] = None,
    keep_runs: Annotated[
        str | None,
        Option("--keep-runs", metavar="SPAN", help="Forget archived runs after that. (never)"),
    ] = None,
    keep_output: Annotated[
        str | None,
        Option("--keep-output", metavar="SPAN", help="Forget what they wrote after that. (never)"),
    ] = None,
    keep_logs: Annotated[
        str | None,
        Option(
            "--keep-logs",
            metavar="LEVELS",
            help="Forget log records by level: debug=1d,info=30d,error=1000d. (never)",
        ),
    ] = None,
    archive_url: ArchiveUrlOption = None,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """Move ended runs to an archive, which is SQLite or PostgreSQL.

    With their attempts, results, output and log records; plain RQ jobs stay. A run leaves Redis
    when the archive has it, so this may be broken off, and be called again: by cron, or by a job.
    It takes the extra: pip install 'jober[archive]'. `jober runs --archive` and
    `jober logs --archive` read it.

    Examples:
      jober archive --older-than 12h --archive-url sqlite:////srv/archive.db
      jober archive --older-than 0 --job nightly
      jober archive --keep-runs 365d --keep-output 90d --keep-logs debug=1d
    """
    levels = _levels(keep_logs) if keep_logs is not None else None
    with fleet(redis) as jober:
        done = jober.archive(
            archive_url,
            older_than=older_than,
            name=job,
            keep_runs=keep_runs,
            keep_output=keep_output,
            keep_logs=levels,
        )
    if json:
        terminal.print_json(done.to_dict())
        return
    terminal.say(f"{count(done.runs, 'run')} archived")
    for number, what in (
        (done.forgotten_runs, "archived run"),
        (done.forgotten_outputs, "piece of output"),
        (done.forgotten_log_records, "log record"),
    ):
        if number:
            terminal.say(f"{number} × {what} forgotten")


def _levels(told: str) -> dict[str, str]:
    levels: dict[str, str] = {}
    for part in told.split(","):
        level, equals, span = part.strip().partition("=")
        if not equals:
            raise WrongCall(f"'{part.strip()}' is no level and span, as in debug=1d,info=30d")
        levels[level] = span
    return levels
