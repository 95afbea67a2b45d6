"""`jober agents cordon`, `drain`, `uncordon` and `roles`: what an operator orders of a host."""

import time
from typing import Annotated

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import Argument, Option, RedisOption, WrongCall
from jober.client import Jober
from jober.errors import did_you_mean
from jober.roles import parse_agent_roles

HostArgument = Annotated[str, Argument(metavar="HOST", help="The name of a host.")]
_LOOK_S = 0.2


def cordon(host: HostArgument, redis: RedisOption = None) -> None:
    """Let a host take no new runs, until it is uncordoned.

    What runs there goes on, but for services: they go to another host. It holds for every agent of
    the host, and for those that start later. What waits for any host goes to another; what is
    bound to this one waits, and may be missed.

    Examples:
      jober agents cordon db1
    """
    with fleet(redis) as jober:
        _cordon(jober, host)


def drain(
    host: HostArgument,
    wait: Annotated[bool, Option("--wait", help="Until nothing runs there.")] = False,
    timeout: Annotated[
        float | None,
        Option(
            "--timeout",
            metavar="SECONDS",
            help="With --wait: at most so long; the exit status is 1 then. (default: no end)",
            show_default=False,
        ),
    ] = None,
    redis: RedisOption = None,
) -> int:
    """Cordon a host, and tell what still runs there.

    Nothing is stopped but services. The host stays cordoned until `jober agents uncordon`.

    Examples:
      jober agents drain db1 --wait && ssh db1 reboot
      jober agents drain db1 --wait --timeout 600
    """
    if timeout is not None and not wait:
        raise WrongCall("--timeout is for --wait: give both, or none")
    with fleet(redis) as jober:
        _cordon(jober, host)
        deadline = None if timeout is None else time.monotonic() + timeout
        told: list[str] | None = None
        while running := jober.store.agents.held(host):
            if running != told:
                terminal.note(f"{len(running)} still run there: {_few(running)}")
                told = running
            if not wait:
                return 0
            if deadline is not None and time.monotonic() >= deadline:
                terminal.note(f"{timeout:g} s are over, and {len(running)} still run there")
                return 1
            time.sleep(_LOOK_S)
        terminal.say(f"nothing runs on {host}")
    return 0


def uncordon(host: HostArgument, redis: RedisOption = None) -> None:
    """Let a host take runs again.

    Examples:
      jober agents uncordon db1
    """
    with fleet(redis) as jober:
        changed = jober.uncordon(host)
        if not changed:
            near = did_you_mean(host, jober.store.agents.orders())
            terminal.note(f"{host} was not cordoned{near}")
            return
        terminal.say(f"{host} takes runs again")


def roles(
    host: HostArgument,
    names: Annotated[
        str | None,
        Argument(metavar="A,B", help="The roles, with commas.", show_default=False),
    ] = None,
    reset: Annotated[
        bool, Option("--reset", help="The roles that its agents were started with.")
    ] = False,
    redis: RedisOption = None,
) -> None:
    """Give a host other roles than its agents were started with.

    They hold at once and for agents that start later, until --reset. What runs goes on.

    Examples:
      jober agents roles db1 db,web
      jober agents roles db1 --reset
    """
    if (names is None) is not reset:
        raise WrongCall("give roles, as db,web, or --reset")
    with fleet(redis) as jober:
        wanted = None if names is None else parse_agent_roles(names)
        changed = jober.set_roles(host, wanted)
        _tell_absent(jober, host)
        now = "the roles of its agents" if wanted is None else f"roles {', '.join(sorted(wanted))}"
        terminal.say(f"{host} has {now}" if changed else f"{host} had {now} already")


def _cordon(jober: Jober, host: str) -> None:
    changed = jober.cordon(host)
    _tell_absent(jober, host)
    terminal.say(f"{host} is cordoned" if changed else f"{host} was cordoned already")


def _tell_absent(jober: Jober, host: str) -> None:
    live = {agent.host for agent in jober.agents()}
    if host not in live:
        near = did_you_mean(host, live)
        terminal.note(f"no agent is live on '{host}'{near}; it holds for those that start there")


def _few(runs: list[str]) -> str:
    return ", ".join(runs[:5]) + (f" and {len(runs) - 5} more" if len(runs) > 5 else "")
