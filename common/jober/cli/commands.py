"""The commands there are: listed without loading them, loaded one at a time.

`jober --help` reads this table alone. A command's module is imported when it is called, so it
may import what it needs at its top. The daemons come from the entry-point group
`jober.daemons`, since `jober` itself knows none of the parts that stand on it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from inspect import Signature

DAEMON_GROUP = "jober.daemons"


class Command(NamedTuple):
    """Where a command is found (`module:function`) and what it does, in a line.

    A `light` one is called by jobs, over and over, and starts in a third of the time: its function
    takes the arguments as they are, and returns the exit status. A `plain` one has a default for
    all that it takes: called with --json and --redis at most, it is not read by typer, which
    loads and builds for longer than such a call takes (see `plain_call`).
    """

    section: str
    place: str
    help: str
    light: bool = False
    plain: bool = False


COMMANDS: dict[str, Command] = {
    "apply": Command("Jobs", "apply:apply", "Make the jobs those of a file."),
    "jobs": Command("Jobs", "jobs:jobs", "List the jobs.", plain=True),
    "show": Command("Jobs", "show:show", "Show all about one job, or one run."),
    "graph": Command("Jobs", "graph:graph", "Draw which jobs come after which.", plain=True),
    "next": Command("Jobs", "next:next_fires", "Tell when a job fires next."),
    "why": Command("Jobs", "why:why", "Tell why a fire ran, was skipped or missed."),
    "simulate": Command("Jobs", "simulate:simulate_file", "Tell when the jobs of a file fire."),
    "import crontab": Command("Jobs", "imports:crontab", "Print the jobs file of a crontab."),
    "import systemd": Command("Jobs", "imports:systemd", "Print the jobs file of systemd timers."),
    "takeover": Command("Jobs", "takeover:takeover", "Print the jobs file of what a host runs."),
    "takeover shadow": Command(
        "Jobs", "takeover_shadow:shadow", "Compare the jobs with what the host ran."
    ),
    "pause": Command("Jobs", "jobs:pause", "Let a job fire no more, until resumed."),
    "resume": Command("Jobs", "jobs:resume", "Let a paused job fire again."),
    "remove": Command("Jobs", "jobs:remove", "Remove a job."),
    "prune": Command("Jobs", "jobs:prune", "Remove the volatile jobs that are over.", plain=True),
    "limits": Command("Jobs", "limits:limits", "List the limits that jobs share.", plain=True),
    "limits set": Command("Jobs", "limits:set_limit", "Define a limit, or change it."),
    "limits remove": Command("Jobs", "limits:remove", "Remove a limit."),
    "run": Command("Runs", "run:run", "Run a job now."),
    "batch": Command("Runs", "batch:batch", "Run a list of commands to the end of all."),
    "runs": Command("Runs", "runs:runs", "List the runs, newest first.", plain=True),
    "logs": Command("Runs", "logs:logs", "Print what a run has written."),
    "cancel": Command("Runs", "cancel:cancel", "Stop a run, all of a job, or all on a host."),
    "archive": Command("Runs", "archive:archive", "Move ended runs to an archive."),
    "progress": Command("In a job", "report:progress", "Tell how far the run is.", light=True),
    "log": Command("In a job", "report:log", "Put a record into the log of the run.", light=True),
    "agents": Command("Fleet", "agents:agents", "List the live agents.", plain=True),
    "agents cordon": Command("Fleet", "hosts:cordon", "Let a host take no new runs."),
    "agents drain": Command(
        "Fleet", "hosts:drain", "Cordon a host, and tell what still runs there."
    ),
    "agents uncordon": Command("Fleet", "hosts:uncordon", "Let a host take runs again."),
    "agents roles": Command("Fleet", "hosts:roles", "Give a host other roles."),
    "leader": Command("Fleet", "agents:leader", "Tell which scheduler leads.", plain=True),
    "events": Command("Fleet", "events:events", "Tell what happened, and what happens."),
    "notices": Command(
        "Fleet", "notices:notices", "List the messages about jobs that wait.", plain=True
    ),
    "doctor": Command("Fleet", "doctor:doctor", "Tell what is wrong, and the mend of each."),
    "backup": Command("Fleet", "backup:backup", "Write all that is kept into a file."),
    "restore": Command("Fleet", "backup:restore", "Restore what `jober backup` wrote."),
    "user add": Command("Access", "users:add", "Add a user of the web pages and the HTTP API."),
    "user list": Command("Access", "users:list_users", "List the users.", plain=True),
    "user scope": Command("Access", "users:scope", "Say what a user may do, and to which jobs."),
    "user passwd": Command("Access", "users:passwd", "Give a user another password."),
    "user logout": Command("Access", "users:logout", "End all sessions of somebody."),
    "user remove": Command("Access", "users:remove", "Remove a user."),
    "token create": Command("Access", "tokens:create", "Make an API token, and show it once."),
    "token list": Command("Access", "tokens:list_tokens", "List the API tokens.", plain=True),
    "token revoke": Command("Access", "tokens:revoke", "Revoke an API token."),
    "key new": Command("Access", "keys:new", "Make a key that signs."),
    "key public": Command("Access", "keys:public", "Print what agents are given of a key."),
    "key list": Command("Access", "keys:list_keys", "List the keys of a file or a folder."),
    "key sign": Command("Access", "signing:sign", "Sign definitions that are in Redis."),
    "audit": Command("Access", "audit:audit", "Tell who did what.", plain=True),
    "dev": Command("Start", "dev.command:dev", "Run a whole fleet on this machine, and watch it."),
    "version": Command("Start", "version:version", "Print the version."),
}

# The same by the names that other tools have for it.
ALIASES = {"disable": "pause", "enable": "resume"}

# What a daemon is told of in `jober --help`, where we know it.
_DAEMON_HELP = {
    "scheduler": "Start a scheduler; of several, one leads.",
    "worker": "Start the agent of this host.",
    "web": "Start the web pages and the HTTP API.",
}


def daemons() -> list[str]:
    """The names of the daemons that are installed."""
    from importlib.metadata import entry_points

    return sorted(point.name for point in entry_points(group=DAEMON_GROUP))


def daemon(name: str) -> Callable[[Sequence[str]], Any] | None:
    """The daemon of that name, as a function of its arguments; None where there is none."""
    from importlib.metadata import entry_points

    for point in entry_points(group=DAEMON_GROUP, name=name):
        found: Callable[[Sequence[str]], Any] = point.load()
        return found
    return None


class PipeClosed(Exception):
    """The reader of our output is gone. (typer has an end of its own for a BrokenPipeError.)"""


def plain_call(name: str, arguments: Sequence[str]) -> dict[str, Any] | None:
    """What a plain command is called with; None where typer has to read it."""
    given: dict[str, Any] = {}
    rest = list(arguments)
    while rest and COMMANDS[name].plain:
        argument = rest.pop(0)
        if argument == "--json":
            given["json"] = True
        elif argument == "--redis" and rest and not rest[0].startswith("-"):
            given["redis"] = rest.pop(0)
        else:
            return None
    return given if COMMANDS[name].plain else None


def function(name: str) -> Callable[..., Any]:
    """The function of a command, imported."""
    from importlib import import_module

    module, _, attribute = COMMANDS[name].place.partition(":")
    found: Callable[..., Any] = getattr(import_module(f"jober.cli.{module}"), attribute)
    return found


def load(name: str) -> Any:
    """The command, imported, as typer has it. What stands below `Examples:` in its docstring
    is shown below its options."""
    from functools import wraps
    from inspect import cleandoc

    import typer

    found = function(name)
    text, _, examples = cleandoc(found.__doc__ or "").partition("Examples:\n")

    @wraps(found)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return found(*args, **kwargs)
        except BrokenPipeError as error:
            raise PipeClosed from error

    call.__signature__ = _as_typer_takes_it(found)  # type: ignore[attr-defined]
    # typer would fill the paragraphs of an example; \b keeps the lines as they are.
    epilog = "\b\nExamples:\n" + examples.rstrip() if examples else None
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(
        name,
        help=text.rstrip(),
        epilog=epilog,
        context_settings={"help_option_names": ["-h", "--help"]},
    )(call)
    command: Any = typer.main.get_command(app)
    pieces = command.collect_usage_pieces
    # `FILE`, and not typer's `{FILE}`.
    command.collect_usage_pieces = lambda context: [
        piece.replace("{", "").replace("}", "") for piece in pieces(context)
    ]
    return command


def _as_typer_takes_it(function: Callable[..., Any]) -> "Signature":
    """The parameters of a command, told of in typer's own words."""
    from inspect import signature
    from typing import Annotated, get_args, get_origin

    import typer

    from jober.cli.options import Argument, Option

    def told(annotation: Any) -> Any:
        if get_origin(annotation) is not Annotated:
            return annotation
        kind, of = get_args(annotation)
        words = {Option: typer.Option, Argument: typer.Argument}[type(of)]
        return Annotated[kind, words(*of.names, **of.told)]

    plain = signature(function)
    parameters = [
        parameter.replace(annotation=told(parameter.annotation))
        for parameter in plain.parameters.values()
    ]
    return plain.replace(parameters=parameters)


def help_text() -> str:
    """What `jober --help` prints."""
    lines = ["Usage: jober COMMAND [OPTIONS] …", ""]
    lines += ["Periodic tasks over a fleet of hosts: on time, by role, on Redis.", ""]
    sections: dict[str, list[tuple[str, str]]] = {}
    for name, command in COMMANDS.items():
        sections.setdefault(command.section, []).append((name, command.help))
    sections["Start"][:0] = [(name, _DAEMON_HELP.get(name, "")) for name in daemons()]
    for section, entries in sections.items():
        lines.append(f"{section}:")
        lines += [f"  {name:<17}{help}".rstrip() for name, help in entries]
        lines.append("")
    lines += [
        "Those that ask Redis take --redis URL, or the environment JOBER_REDIS_URL",
        "(default: redis://127.0.0.1:6379/0). Each command tells more with --help.",
        "",
        "Examples:",
        "  jober dev examples/fleet.toml      look at it all, without installing anything",
        "  jober apply fleet.toml --dry-run   what would change",
        "  jober run nightly --follow         run it now, and watch",
        "  jober runs --state failed          what went wrong",
    ]
    return "\n".join(lines) + "\n"
