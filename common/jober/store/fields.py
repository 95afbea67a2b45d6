"""Reading what Redis stores: texts, moments and whole records."""

import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import msgpack

from jober.clock import from_ms, to_ms

T = TypeVar("T")


def text(value: bytes | None) -> str | None:
    """Text, or None where the field is absent or empty."""
    return value.decode("utf-8", "replace") if value else None


def moment_ms(value: bytes | None) -> int | None:
    """`2026-11-21T03:00:00.123000Z`, as RQ writes a moment, in milliseconds."""
    if not value:
        return None
    written = value.decode()
    format = "%Y-%m-%dT%H:%M:%S.%fZ" if "." in written else "%Y-%m-%dT%H:%M:%SZ"
    return to_ms(datetime.strptime(written, format).replace(tzinfo=UTC))


def moment_text(moment_ms: int) -> str:
    """A moment as RQ writes it."""
    return from_ms(moment_ms).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def number(value: bytes | None) -> int | None:
    return int(value) if value else None


def readable(read: Callable[[bytes | None], T | None], raw: bytes | None) -> T | None:
    """What `read` makes of a field that anybody may have written; None where it cannot."""
    try:
        return read(raw)
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def record(pairs: Any) -> dict[str, bytes]:
    """A hash as a mapping by field name, whether the client gave pairs or a mapping."""
    if isinstance(pairs, dict):
        return {name.decode("utf-8", "replace"): value for name, value in pairs.items()}
    return {pairs[i].decode("utf-8", "replace"): pairs[i + 1] for i in range(0, len(pairs), 2)}


def decompressed(data: bytes) -> bytes:
    """What an RQ job is to do, which RQ compresses, or not; often it is the same for many."""
    return (_decompressed if len(data) <= 1024 else _decompressed.__wrapped__)(data)


@lru_cache(maxsize=100)
def _decompressed(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error:
        return data


def packed(value: Any) -> bytes:
    """A value as the scripts unpack it: Redis 6's msgpack has one type for text and bytes."""
    message: bytes = msgpack.packb(value, use_bin_type=False)
    return message


def unpacked(message: bytes) -> Any:
    """A value as scripts pack it: all texts as bytes."""
    return msgpack.unpackb(message, raw=True)
