"""What the daemons have in common at their start: the arguments that each takes.

It imports nothing heavy, since the guardian of a worker stays as small as it begins.
"""

import argparse
import os

from jober import failpoint
from jober.ids import check_host_name, own_host_name
from jober.pace import read_pace

METRICS_VARIABLE = "JOBER_METRICS"
LOG_FORMAT_VARIABLE = "JOBER_LOG_FORMAT"
LOG_FORMATS = ("text", "json")
SIGN_KEY_VARIABLE, TRUST_VARIABLE = "JOBER_SIGN_KEY", "JOBER_TRUST"
DEFAULT_URL = "redis://127.0.0.1:6379/0"


def redis_url(given: str | None = None) -> str:
    """Where Redis is: as given, else as JOBER_REDIS_URL says, else on this host."""
    return os.environ.get("JOBER_REDIS_URL", DEFAULT_URL) if given is None else given


def daemon_parser(
    program: str, version: str, description: str, examples: str
) -> argparse.ArgumentParser:
    """A parser with `--redis`, `--host`, `--log-level`, `--log-format` and `--version`."""
    parser = argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--redis",
        metavar="URL",
        default=redis_url(),
        help="redis://, rediss://, unix:// or redis+sentinel://h1:26379,h2:26379/mymaster/0 "
        "(default: JOBER_REDIS_URL, else " + DEFAULT_URL + ")",
    )
    parser.add_argument(
        "--host", metavar="NAME", help="the name of this host (default: what the system says)"
    )
    parser.add_argument(
        "--log-level",
        default="info",
        choices=["debug", "info", "warning", "error"],
        help="(default: info)",
    )
    parser.add_argument(
        "--log-format",
        metavar="FORMAT",
        type=_log_format,
        default=os.environ.get(LOG_FORMAT_VARIABLE) or "text",
        help="text, or json: an object a line, for what collects logs "
        f"(default: {LOG_FORMAT_VARIABLE}, else text)",
    )
    parser.add_argument("--version", action="version", version=f"jober {version}")
    return parser


def add_metrics_option(parser: argparse.ArgumentParser) -> None:
    """`--metrics`: where a daemon is asked how it is."""
    parser.add_argument(
        "--metrics",
        metavar="HOST:PORT",
        default=os.environ.get(METRICS_VARIABLE) or None,
        help="where to answer Prometheus, at /metrics, and probes, at /healthz and /readyz "
        f"(default: {METRICS_VARIABLE}, else nowhere)",
    )


def add_signing_options(parser: argparse.ArgumentParser) -> None:
    """`--sign-key` and `--trust`: by what it signs, and whom it believes."""
    parser.add_argument(
        "--sign-key",
        metavar="FILE",
        help="the key that signs what it writes, for hosts that believe keys alone (default: "
        f"{SIGN_KEY_VARIABLE}, else nothing is signed)",
    )
    parser.add_argument(
        "--trust",
        metavar="PATH",
        help="a file or a folder of the keys of those who define and run (default: "
        f"{TRUST_VARIABLE}, else its own key alone)",
    )


def heed_test_environment() -> None:
    """Arm the failpoints that a test names, check its pace. Raises DefinitionError."""
    failpoint.arm(os.environ)
    read_pace(os.environ)


def host_name(given: str | None) -> str:
    """The name of this host: as given, else as the system says. Raises DefinitionError."""
    return check_host_name(given) if given else own_host_name(os.uname().nodename)


def _log_format(text: str) -> str:
    # argparse holds a default against no `choices`, and this one may be of the environment.
    if text not in LOG_FORMATS:
        raise argparse.ArgumentTypeError(f"'{text}' is no format (one of {', '.join(LOG_FORMATS)})")
    return text
