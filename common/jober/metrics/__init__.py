"""What a daemon tells a monitoring system, at `--metrics HOST:PORT`: `/metrics` in the text format
of Prometheus, `/healthz` (its process does its work) and `/readyz` (Redis answers it, too).

What is counted is for each daemon to say (`jober_scheduler.meters`, `jober_worker.meters`,
`jober_web.meters`).
"""

from jober.metrics.job_names import JobNames
from jober.metrics.redis import redis_gauges
from jober.metrics.server import serve_metrics

__all__ = ["JobNames", "redis_gauges", "serve_metrics"]
