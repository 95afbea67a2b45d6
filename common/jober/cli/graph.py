"""`jober graph`: which jobs come after which, as a tree, as SVG or as JSON."""

from typing import Annotated

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import Argument, JsonOption, Option, RedisOption, WrongCall
from jober.errors import JobNotFound
from jober.workflow import svg as drawn
from jober.workflow import tree


def graph(
    name: Annotated[
        str | None,
        Argument(
            metavar="NAME",
            help="A job: draw what comes before and after it. (default: all that have to do with "
            "others)",
            show_default=False,
        ),
    ] = None,
    svg: Annotated[
        bool, Option("--svg", help="Print a picture (SVG), for light and dark pages.")
    ] = False,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """Draw which jobs come after which.

    As a tree: below each job stand those that need it, wait for it, or are run when it has
    succeeded or failed.

    Examples:
      jober graph
      jober graph nightly --svg > nightly.svg
      jober graph --json | jq '.edges[] | select(.kind == "needs")'
    """
    if svg and json:
        raise WrongCall("--svg and --json are two ways to print it: keep one of them")
    with fleet(redis) as jober:
        found = jober.graph()
        if name is not None and name not in found:
            raise JobNotFound(name, jober.store.jobs.names(limit=1000))
    names = found.order(found.linked) if name is None else found.around(name)
    if json:
        levels = found.levels(names)
        terminal.print_json(
            {
                "jobs": [{"job": one, "level": levels[one]} for one in names],
                "edges": [
                    {"from": edge.earlier, "to": edge.later, "kind": edge.kind}
                    for edge in found.edges(names)
                ],
            }
        )
    elif svg:
        terminal.say(drawn(found, names).rstrip())
    elif not names:
        terminal.note('no job has to do with another: give one needs = ["…"]')
    else:
        for line in tree(found, names):
            terminal.say(line)
