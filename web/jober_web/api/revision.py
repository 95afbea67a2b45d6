"""ETag and If-Match of definitions: the revision of a job, in quotes. Pure."""

import re

from jober_web.problems import Problem

_TAG = re.compile(r'"(\d{1,9})"')
ANY = "*"


def etag(revision: int) -> str:
    return f'"{revision}"'


def wanted_revisions(if_match: str | None) -> frozenset[int] | None:
    """The revisions that `If-Match` names; None for any. A weak or a foreign tag names none."""
    if if_match is None or if_match.strip() == ANY:
        return None
    tags = (_TAG.fullmatch(part.strip()) for part in if_match.split(","))
    return frozenset(int(tag[1]) for tag in tags if tag)


def is_unchanged(if_none_match: str | None, revision: int) -> bool:
    """Whether who asks has this revision already. Here a weak tag counts."""
    if if_none_match is None:
        return False
    tags = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return ANY in tags or etag(revision) in tags


def required_revision(revision: int | None, wanted: frozenset[int] | None) -> int | None:
    """The revision that a change has to meet, of a job that is at `revision` (None: not there);
    None for any. Raises Problem where it is another already."""
    if wanted is None:
        return None
    if revision is None or revision not in wanted:
        now = "it is not there" if revision is None else f"it is at revision {revision}"
        raise Problem(412, f"If-Match names another revision than there is: {now}")
    return revision
