"""The options that many commands share, and what options and arguments are told by.

They are told apart from typer, and it is given them where it reads a call (see `commands.load`):
to load and build it takes longer than a plain call does, which is not read by it.
"""

from typing import Annotated, Any


class Told:
    """What typer is told of a parameter, inside `Annotated`: as it takes it."""

    def __init__(self, *names: str, **told: Any) -> None:
        self.names = names
        self.told = told


class Option(Told):
    """An option, as `typer.Option`."""


class Argument(Told):
    """An argument, as `typer.Argument`."""


class WrongCall(Exception):
    """Options and arguments that do not go together: told as it is, exit status 2."""


RedisOption = Annotated[
    str | None,
    Option(
        "--redis",
        metavar="URL",
        help="Where Redis is: redis://, rediss://, unix:// or redis+sentinel://h1,h2/service/0. "
        "(default: JOBER_REDIS_URL, else this host)",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, Option("--json", help="Print JSON, for scripts.")]
JobArgument = Annotated[str, Argument(metavar="NAME", help="The name of a job.")]
RunArgument = Annotated[str, Argument(metavar="RUN", help="The id of a run.")]
JobOrRunArgument = Annotated[
    str, Argument(metavar="NAME|RUN", help="The name of a job, or the id of a run.")
]
