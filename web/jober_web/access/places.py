"""Where one is sent after a log-in: to a page of ours, and nowhere else."""

import re
from urllib.parse import urlsplit

from fastapi import Request

# One slash, and then neither another nor what browsers take for one; nothing that ends a header.
_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
_LONGEST = 2000


def own_path(text: str | None, else_: str) -> str:
    """The path, where it is one of this site; else the other.

    >>> own_path("/runs?state=failed", "/"), own_path("//evil.example", "/")
    ('/runs?state=failed', '/')
    """
    if not text or len(text) > _LONGEST or not _PATH.fullmatch(text):
        return else_
    try:
        parts = urlsplit(text)
    except ValueError:
        return else_
    return else_ if parts.scheme or parts.netloc else text


def path_of(request: Request, name: str, **parameters: str) -> str:
    """The path of a route of ours, with all prefixes; never the host that the request named."""
    return request.url_for(name, **parameters).path


def asked_for(request: Request) -> str:
    """The path of the request itself, to come back to."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
