"""What `jober-web` tells a monitoring system."""

import time
from collections.abc import Iterator

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jober.client import Jober
from jober.metrics import redis_gauges

# Seconds: pages are to begin within a tenth, and what is ten late has waited for Redis.
ANSWERS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
# A request for what there is no route for.
_NO_ROUTE = "(none)"


class Meters:
    """Counts what an application answers. The routes are told by their names, of which there are
    only so many."""

    def __init__(self, app: FastAPI, jober: Jober) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "jober_web_requests",
            "Requests that were answered, by route and status",
            ["route", "status"],
            registry=self.registry,
        )
        self._took = Histogram(
            "jober_web_first_byte_seconds",
            "How long it took until an answer began, by route",
            ["route"],
            buckets=ANSWERS_S,
            registry=self.registry,
        )
        self.registry.register(_Standing(app, jober))
        app.add_middleware(_Counting, meters=self)

    def answered(self, route: str, status: int, took_s: float) -> None:
        """A request was answered."""
        self._requests.labels(route, str(status)).inc()
        self._took.labels(route).observe(took_s)


class _Counting:
    """An application within it; an answer counts where it begins, since streams have no end."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app = app
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.monotonic()
        is_begun = False

        def count(status: int) -> None:
            route = getattr(scope.get("route"), "name", _NO_ROUTE)
            self._meters.answered(route, status, time.monotonic() - begun)

        async def counted(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                count(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, counted)
        except Exception:
            if not is_begun:
                count(500)  # as the server answers then
            raise


class _Standing(Collector):
    """How the web part stands, when it is asked."""

    def __init__(self, app: FastAPI, jober: Jober) -> None:
        self._app = app
        self._jober = jober

    def collect(self) -> Iterator[Metric]:
        hub = getattr(self._app.state, "jober_hub", None)
        yield GaugeMetricFamily(
            "jober_web_followers",
            "Streams that are open: events, and what runs write",
            value=hub.followers if hub is not None else 0,
        )
        yield from redis_gauges(self._jober.store.observe_time)[1]
