"""How a service stands, in words."""

from typing import TYPE_CHECKING

from rich.text import Text

from jober.cli import terminal
from jober.words import relative

if TYPE_CHECKING:
    from jober.service import Service, ServicePlace

# The worst first: what stands for several places.
_WORDS = ("restarting", "stopping", "waiting", "starting", "healthy")


def service_text(service: "Service | None", now_ms: int) -> Text:
    """How it stands, on one line: of several places the worst, and how many are healthy."""
    if service is None or not service.places:
        return terminal.state("no host")
    words = [place.word for place in service.places]
    worst = min(words, key=_WORDS.index)
    [first, *_] = [place for place in service.places if place.word == worst]
    text = terminal.state(worst)
    if worst == "restarting" and first.state.restart_at_ms is not None:
        text.append(f" {relative(first.state.restart_at_ms, now_ms)}", style="dim")
    if len(words) > 1:
        text.append(f" {words.count('healthy')}/{len(words)} healthy", style="dim")
    return text


def place_text(place: "ServicePlace", now_ms: int) -> Text:
    """How one place stands: since when it runs, or when it runs again, and how often it did."""
    return terminal.state(place.word).append(place.details(now_ms))
