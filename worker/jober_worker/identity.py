"""Whom a run runs as: `user` and `group`, looked up on the host."""

import grp
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, field

from jober.errors import JoberError


class IdentityRefused(JoberError):
    """There is no such user or group here, or the agent may not become it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Numbers for the kernel, None where it stays as it is; `variables` are those of a login."""

    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


def find_identity(user: str | None, group: str | None) -> Identity:
    """The numbers of a user, with its groups, and of a group. Raises IdentityRefused."""
    if user is None and group is None:
        return Identity()
    account = None if user is None else _user(user)
    gid = _group(group) if group is not None else account.pw_gid if account else None
    uid = account.pw_uid if account else None
    variables = (
        {"HOME": account.pw_dir, "USER": account.pw_name, "LOGNAME": account.pw_name}
        if account
        else {}
    )
    if os.geteuid() != 0:
        if uid in (None, os.geteuid()) and gid in (None, os.getegid()):
            return Identity(variables=variables)
        what = f"user '{user}'" if uid not in (None, os.geteuid()) else f"group '{group}'"
        raise IdentityRefused(
            f"cannot run as {what} on this host: the agent runs as '{_name_of(os.geteuid())}', and "
            f"only root may change to another (start jober-worker as root, or on another host)"
        )
    groups = None
    if account is not None and gid is not None:
        groups = tuple(os.getgrouplist(account.pw_name, gid))
    elif gid is not None:
        # The agent's own groups are those of root: not for a run that has asked for less.
        groups = (gid,)
    return Identity(uid=uid, gid=gid, groups=groups, variables=variables)


def _user(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
    except (KeyError, OverflowError, ValueError):
        raise IdentityRefused(f"there is no user '{user}' (user) on this host") from None


def _group(group: str) -> int:
    try:
        found = grp.getgrgid(int(group)) if group.isdecimal() else grp.getgrnam(group)
    except (KeyError, OverflowError, ValueError):
        raise IdentityRefused(f"there is no group '{group}' (group) on this host") from None
    return found.gr_gid


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
