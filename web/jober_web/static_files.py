"""The scripts, styles and pictures of the pages: served from the wheel, by addresses that change
with what is in them, so that browsers may keep them for good."""

import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

FOLDER = Path(__file__).parent / "static"
_DIGEST_CHARACTERS = 16

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFile:
    """One file, whole in memory: they are few and small."""

    data: bytes
    digest: str
    media_type: str


@cache
def static_files() -> dict[str, StaticFile]:
    """All there are, by their path below `static/`. No other file can be asked for."""
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            found[path.relative_to(FOLDER).as_posix()] = StaticFile(
                data=data,
                digest=hashlib.sha256(data).hexdigest()[:_DIGEST_CHARACTERS],
                media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            )
    return found


def static_url(request: Request, name: str) -> str:
    """The address of a file. Raises KeyError where there is none of that name."""
    digest = static_files()[name].digest
    return request.url_for("static", digest=digest, name=name).path


@router.get("/static/{digest}/{name:path}", name="static")
def static(digest: str, name: str, if_none_match: Annotated[str, Header()] = "") -> Response:
    """A file; where it is another by now than the address says, it is not kept."""
    file = static_files().get(name)
    if file is None:
        return Response("There is no such file.", 404, media_type="text/plain")
    kept = "public, max-age=31536000, immutable" if digest == file.digest else "no-cache"
    headers = {
        "ETag": f'"{file.digest}"',
        "Cache-Control": kept,
        "X-Content-Type-Options": "nosniff",
    }
    if f'"{file.digest}"' in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(file.data, headers=headers, media_type=file.media_type)
