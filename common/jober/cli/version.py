"""`jober version`."""

from jober import __version__
from jober.cli.terminal import say


def version() -> None:
    """Print the version."""
    say(f"jober {__version__}")
