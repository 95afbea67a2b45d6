"""`jober next`: the coming fires of a job, or of a cron expression."""

from itertools import islice
from typing import Annotated, Any

from rich.text import Text

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.moment import read_moment_ms
from jober.cli.options import Argument, JsonOption, Option, RedisOption, WrongCall
from jober.cli.table import Column, print_table
from jober.client.finding import coming_fires, fires_after
from jober.clock import SystemClock, from_ms, iso
from jober.job import raise_any
from jober.schedule import Schedule, mistakes, parse
from jober.words import relative

# So many excluded fires are told below the coming ones.
_EXCLUDED = 10


def next_fires(
    name: Annotated[str | None, Argument(metavar="NAME", help="The name of a job.")] = None,
    cron: Annotated[
        str | None,
        Option("--cron", metavar="EXPR", help="Of this expression, without any job."),
    ] = None,
    timezone: Annotated[
        str | None,
        Option("--timezone", metavar="TZ", help="The zone of --cron. (default: UTC)"),
    ] = None,
    start: Annotated[
        str | None,
        Option(
            "--from",
            metavar="T",
            help="From this moment on, in the zone of the schedule, as 2026-11-21 or "
            "2026-11-21T08:00; as if nothing had fired. (default: now)",
            show_default=False,
        ),
    ] = None,
    number: Annotated[
        int, Option("-n", "--number", min=1, max=10_000, metavar="N", help="So many.")
    ] = 5,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """Tell when a job fires next.

    The schedule in words; then moments in the zone of the job and in the local one, with what a
    change to or from summer time does to a fire. `--cron` asks of an expression; it needs no Redis.

    Examples:
      jober next nightly
      jober next nightly --from 2026-12-24
      jober next --cron '30 2 * * *' --timezone Europe/Warsaw -n 3
      jober next --cron '@hourly' --json
    """
    if (name is None) == (cron is None):
        raise WrongCall("give the name of a job, or --cron EXPR")
    if timezone is not None and cron is None:
        raise WrongCall("--timezone goes with --cron; a job has its own")
    if cron is not None:
        raise_any(mistakes({"cron": cron}, timezone))
        schedule = parse({"cron": cron}, timezone)
        anchor_ms = now_ms = SystemClock().now_ms()
        fires = list(
            islice(fires_after(schedule, _after_ms(start, schedule, now_ms), now_ms), number)
        )
    else:
        assert name is not None
        with fleet(redis) as jober:
            record = jober.job(name)
            now_ms = jober.store.clock.now_ms()
        if record.job.schedule is None:
            service = f"{name} is a service, and has no fires: jober show {name}"
            by_hand = f"{name} has no schedule: jober run {name}"
            _tell_none(service if record.job.service else by_hand, json)
            return
        schedule = record.job.schedule
        anchor_ms = record.anchor_ms
        if start is None:
            fires = coming_fires(record, now_ms, number)
        else:
            after_ms = _after_ms(start, schedule, now_ms)
            fires = list(islice(fires_after(schedule, after_ms, anchor_ms), number))
        if record.paused:
            terminal.note(f"{name} is paused: it fires at none of these (jober resume {name})")
    if json:
        terminal.print_json([as_dict(schedule, fire, anchor_ms) for fire in fires])
    elif fires:
        terminal.stdout().print(Text(schedule.describe(), style="bold"), soft_wrap=True)
        _print(schedule, fires, now_ms if start is None else None, anchor_ms)
        _print_excluded(schedule, _after_ms(start, schedule, now_ms), fires[-1], anchor_ms)
    else:
        _tell_none("it never fires again", json)


def as_dict(schedule: Schedule, fire_ms: int, anchor_ms: int) -> dict[str, Any]:
    """A fire, for scripts: as an instant, as its zone's clock has it, and as this machine's."""
    fire = from_ms(fire_ms)
    return {
        "fire_at": iso(fire_ms),
        "timezone": schedule.timezone,
        "in_zone": schedule.zone.aware(fire_ms).isoformat(),
        "local": fire.astimezone().isoformat(),
        "notes": list(schedule.notes(fire, from_ms(anchor_ms))),
    }


def _after_ms(start: str | None, schedule: Schedule, now_ms: int) -> int:
    return now_ms if start is None else read_moment_ms(start, "--from", schedule.zone) - 1


def _print(schedule: Schedule, fires: list[int], now_ms: int | None, anchor_ms: int) -> None:
    """How far off each is, where `now_ms` is told."""
    columns = [
        Column(title=schedule.timezone),
        Column(title="LOCAL", drop=1),
        *([] if now_ms is None else [Column(title="WHEN")]),
        Column(title="NOTE"),
    ]
    rows = []
    for fire in fires:
        wall, local = schedule.zone.aware(fire), from_ms(fire).astimezone()
        same = wall.utcoffset() == local.utcoffset()
        rows.append(
            [
                f"{wall:%a %Y-%m-%d %H:%M:%S %Z}",
                "" if same else f"{local:%a %Y-%m-%d %H:%M:%S %Z}",
                *([] if now_ms is None else [relative(fire, now_ms)]),
                "; ".join(schedule.notes(from_ms(fire), from_ms(anchor_ms))),
            ]
        )
    print_table(terminal.stdout(), columns, rows)


def _print_excluded(schedule: Schedule, now_ms: int, until_ms: int, anchor_ms: int) -> None:
    """The fires among them that hours or excluded days take out, or move."""
    found = schedule.excluded_between(
        from_ms(now_ms), from_ms(until_ms), from_ms(anchor_ms), _EXCLUDED
    )
    for fire in found:
        terminal.note(f"{fire.at:%a %Y-%m-%d %H:%M}  {fire}")
    if len(found) == _EXCLUDED:
        terminal.note("and perhaps more")


def _tell_none(text: str, json: bool) -> None:
    if json:
        terminal.print_json([])
    else:
        terminal.note(text)
