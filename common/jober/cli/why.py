"""`jober why`: why a fire ran, was skipped or missed, or is none."""

from datetime import UTC, datetime
from typing import Annotated

from rich.text import Text

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import JobOrRunArgument, JsonOption, Option, RedisOption, WrongCall
from jober.clock import to_ms
from jober.schedule.zone import zone
from jober.store.jobs import JobRecord
from jober.words import moment, plain, relative


def why(
    name: JobOrRunArgument,
    at: Annotated[
        str | None,
        Option(
            "--at",
            metavar="T",
            help="The moment, as 2026-11-21T03:00 (in the job's zone) or with an offset. "
            "(default: its newest decision, or newest run by hand)",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """Tell why a fire ran, was skipped or missed, or is none.

    From the ledger of decisions and from the definition, which live hosts match the job's roles
    now, and what may be done. Of a run it is told too what it waits for.

    Examples:
      jober why nightly
      jober why nightly --at 2026-11-21T03:00
      jober why nightly-20261121T020000Z
      jober why nightly --at 2026-11-21T02:00:00Z --json
    """
    with fleet(redis) as jober:
        at_ms = None if at is None else _moment(at, jober.job(name))
        told = jober.why(name, at_ms)
        now_ms = jober.store.clock.now_ms()
    if json:
        terminal.print_json(told.to_dict())
        return
    console = terminal.stdout()
    when = Text(f"{name} at {moment(told.at_ms, now_ms)}", style="bold")
    when.append(f" ({relative(told.at_ms, now_ms)})", style="dim")
    console.print(when, soft_wrap=True)
    console.print(Text(plain(told.answer)), soft_wrap=True)
    for note in told.notes:
        console.print(Text(f"Note: {plain(note)}.", style="yellow"), soft_wrap=True)
    for mend in told.mends:
        console.print(Text(f"→ {plain(mend)}"), soft_wrap=True)
    hosts = ", ".join(told.hosts) or "none"
    console.print(Text(f"Live hosts that match now: {hosts}", style="dim"), soft_wrap=True)


def _moment(text: str, record: JobRecord) -> int:
    """The moment that was asked for; without an offset it is the clock of the job's zone."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise WrongCall(
            f"--at: '{text}' is no moment: write 2026-11-21T03:00 or 2026-11-21T03:00:00Z"
        ) from None
    if given.tzinfo is not None:
        return to_ms(given)
    wall, millis = divmod(to_ms(given.replace(tzinfo=UTC)), 1000)
    # A time that the zone's clock leaves out is the moment after it, when its fire runs.
    return zone(record.job.timezone).read(wall, "after", "first")[0] * 1000 + millis
