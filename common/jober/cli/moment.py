"""A moment as it is given to an option."""

from datetime import UTC, datetime

from jober.cli.options import WrongCall
from jober.schedule.zone import Zone


def read_moment_ms(text: str, option: str, where: Zone) -> int:
    """In ms; without an offset it is what the clock of the zone shows. Raises WrongCall."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise WrongCall(
            f"{option} '{text}' is no moment: write 2026-11-21 or 2026-11-21T08:00"
        ) from None
    if moment.tzinfo is not None:
        return round(moment.timestamp() * 1000)
    wall = round(moment.replace(tzinfo=UTC).timestamp())
    return where.read(wall, "after", "first")[0] * 1000
