"""The signatures of runs as their records have them, for hosts that believe keys alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from jober.store import keys
from jober.store.connection import Connection
from jober.store.fields import text


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """Of one run; empty where it has none. `template` is what was sealed where results were put
    into the arguments."""

    seal: str = ""
    order: str = ""
    template: bytes | None = None


class SignatureStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def of(self, runs: Sequence[str]) -> dict[str, Signatures]:
        """Those of the runs with these ids, in one round trip."""
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for run in runs:
                pipeline.hmget(keys.rq_job(run), "seal", "order", "template")
            found = pipeline.execute()
        return {
            run: Signatures(seal=text(seal) or "", order=text(order) or "", template=template)
            for run, (seal, order, template) in zip(runs, found, strict=True)
        }
