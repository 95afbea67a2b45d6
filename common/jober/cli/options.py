"""The options that many commands share."""

from typing import Annotated

import typer


class WrongCall(typer.BadParameter):
    """Options and arguments that do not go together: told as it is, exit status 2."""

    def format_message(self) -> str:
        return self.message


RedisOption = Annotated[
    str | None,
    typer.Option(
        "--redis",
        metavar="URL",
        help="Where Redis is: redis://, rediss://, unix:// or redis+sentinel://h1,h2/service/0. "
        "(default: JOBER_REDIS_URL, else this host)",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
JobArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name of a job.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The id of a run.")]
