"""`jober-worker --check`: the settings as they come out, and whether they are good."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from jober.errors import RedisUnavailable
from jober.store import Store
from jober.store.connection import shown as shown_url
from jober_worker.gate import find_filter
from jober_worker.options import Told
from jober_worker.settings import Settings


def check(settings: Settings, told: Mapping[str, Told], *, as_json: bool) -> int:
    """Print them, and say whether Redis can be reached, which is no fault of the settings. Raises
    DefinitionError for a filter that cannot be had."""
    if settings.filter:
        find_filter(settings.filter)
    store = Store(settings.redis)
    try:
        store.observe_time()
        redis = "reachable"
    except RedisUnavailable as error:
        redis = str(error)
    store.close()
    shown = _values(settings)
    if as_json:
        values = {
            name: {"value": value, "from": told[name].source} for name, value in shown.items()
        }
        allow = {name: list(rules) for name, rules in settings.allow.lists.items()}
        facts = {"file": settings.allow.file, "settings": values, "allow": allow, "redis": redis}
        sys.stdout.write(json.dumps(facts, indent=2, default=list) + "\n")
        return 0
    for name, value in shown.items():
        words = ", ".join(value) if isinstance(value, list) else "none" if value is None else value
        sys.stdout.write(f"{name:<13} {words}  ({told[name].source})\n")
    for name, rules in settings.allow.lists.items():
        words = ", ".join(rule if isinstance(rule, str) else " ".join(rule) for rule in rules)
        sys.stdout.write(f"allow {name}: {words or 'nothing'}  ({settings.allow.file})\n")
    if not settings.allow.lists:
        sys.stdout.write("allow         everything\n")
    sys.stdout.write(f"Redis is {redis}\n" if redis == "reachable" else f"{redis}\n")
    return 0


def _values(settings: Settings) -> dict[str, Any]:
    """By option, as text and numbers; an address without its password."""
    return {
        "redis": shown_url(settings.redis),
        "host": settings.host,
        "roles": sorted(settings.roles),
        "slots": settings.slots,
        "drain": settings.drain_s,
        "log_level": settings.log_level,
        "log_format": settings.log_format,
        "log_dir": str(settings.log_dir),
        "journal_dir": str(settings.journal_dir),
        "log_keep": settings.log_keep_s / 86_400,
        "log_total": settings.log_bytes / 1024**3,
        "accept_pickle": settings.accept_pickle,
        "filter": settings.filter,
        "trust": settings.trusted.ids if settings.trusted else None,
        "unsigned_queues": sorted(settings.unsigned_queues),
        "secrets": list(settings.secrets),
    }
