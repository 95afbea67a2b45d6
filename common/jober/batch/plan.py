"""What may begin next, and what cannot any more. Pure."""

from collections.abc import Collection, Mapping, Sequence

from jober.batch.item import Item


def ready(items: Sequence[Item], begun: Collection[str], ended: Mapping[str, bool]) -> list[Item]:
    """Those that have not begun, and wait for nothing any more; `ended` says of each id whether it
    ended well."""
    return [
        item
        for item in items
        if item.id not in begun and all(ended.get(one, False) for one in item.waiting)
    ]


def hopeless(
    items: Sequence[Item], begun: Collection[str], ended: Mapping[str, bool]
) -> dict[str, str]:
    """Those that never begin, since one that they wait for did not end well, or never begins
    itself; each with the one whose fault it is."""
    found: dict[str, str] = {}
    while True:
        before = len(found)
        for item in items:
            if item.id in begun or item.id in found:
                continue
            for one in item.waiting:
                if one in found or ended.get(one) is False:
                    found[item.id] = found.get(one, one)
                    break
        if len(found) == before:
            return found
