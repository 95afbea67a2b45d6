"""`jober agents` and `jober leader`: who does the work."""

from rich.text import Text

from jober.cli import terminal
from jober.cli.fleet import state
from jober.cli.options import JsonOption, RedisOption
from jober.cli.table import Column, print_table
from jober.words import moment_and_hint, relative


def agents(json: JsonOption = False, redis: RedisOption = None) -> None:
    """List the live agents.

    Roles with a * were ordered by `jober agents roles`; the JSON has those that the agent was
    started with too.

    Examples:
      jober agents
      jober agents --json | jq -r '.[].host'
    """
    with state(redis) as store:
        found = store.agents.live()
        orders = store.agents.orders()
        now_ms = store.clock.now_ms()
    if json:
        terminal.print_json([agent.to_dict() for agent in found])
        return
    live = {agent.host for agent in found}
    for host, ordered in orders.items():
        if host not in live:
            what = ["cordoned"] if ordered.cordoned else []
            what += [f"given the roles {', '.join(sorted(ordered.roles))}"] if ordered.roles else []
            terminal.note(f"host '{host}' is {' and '.join(what)}, and has no live agent")
    if not found:
        terminal.note("no live agent: start one with `jober worker --roles ROLE,ROLE`")
        return
    columns = [
        Column(title="HOST"),
        Column(title="ROLES", cut=True),
        Column(title="STATE"),
        Column(title="RUNS", justify="right"),
        Column(title="LOAD", justify="right"),
        Column(title="SEEN"),
        Column(title="AGENT", drop=1),
        Column(title="PID", justify="right", drop=2),
        Column(title="UP SINCE", drop=3),
        Column(title="VERSION", drop=4),
    ]
    rows: list[list[str | Text]] = [
        [
            Text(agent.host, style="bold"),
            ", ".join(sorted(agent.roles)) + ("*" if agent.roles != agent.own_roles else ""),
            terminal.state("silent" if agent.silent_ms(now_ms) else agent.state),
            f"{agent.running}/{agent.slots}",
            f"{agent.load:.2f}",
            relative(agent.seen_at_ms, now_ms) if agent.seen_at_ms else "",
            agent.id,
            str(agent.pid),
            moment_and_hint(agent.started_at_ms or None, now_ms),
            agent.version,
        ]
        for agent in found
    ]
    print_table(terminal.stdout(), columns, rows)


def leader(json: JsonOption = False, redis: RedisOption = None) -> int:
    """Tell which scheduler leads.

    The exit status is 1 where none does.

    Examples:
      jober leader
      jober leader --json | jq -r .host
    """
    with state(redis) as store:
        found = store.leader.current()
        now_ms = store.clock.now_ms()
    if json:
        terminal.print_json(found.to_dict() if found else None)
    elif found:
        terminal.say(
            f"{found.host} leads: pid {found.pid}, "
            f"since {moment_and_hint(found.since_ms, now_ms)}, node {found.node}"
        )
    if found is None:
        terminal.note("no scheduler leads: start one with `jober scheduler`")
    return 0 if found else 1
