"""How somebody gets a session: by a password, by a link that is good once, or by what another
server says of them (OpenID Connect). And how it ends."""

import json
import os
import threading
from dataclasses import dataclass, replace
from typing import Any

from jober.access.audit import Outcome
from jober.access.errors import TooManyTries, WrongLogin
from jober.access.password import NOBODY, PasswordHash
from jober.access.scope import Scope
from jober.access.secret import hashed, new_secret
from jober.access.session import Kind, Session, SessionTimes
from jober.access.user import USER_NAME, User
from jober.access.who import Actor, Who
from jober.client.access import Access
from jober.store.audit import audit_line
from jober.store.sessions import Try

# Failed log-ins, over all web nodes: of one user, and from one address.
_WITHIN_S = 15 * 60
_OF_A_USER, _FROM_AN_ADDRESS = 10, 40
LINK_LIVES_S = 300
# Each that is compared takes 16 MiB, and a core for a while.
_AT_ONCE = max(2, os.cpu_count() or 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session, and its id, which the browser alone has."""

    session: Session
    id: str


class LogIn:
    """The doors of one jober. `before`, everywhere, is the id of the session that the browser had:
    it ends, and the new one has another id, so that nobody can have known it."""

    def __init__(self, jober: Access, times: SessionTimes | None = None) -> None:
        self.jober = jober
        self._store = jober.store
        self.times = times or SessionTimes()
        self._comparing = threading.BoundedSemaphore(_AT_ONCE)

    def with_password(self, name: str, password: str, address: str, before: str = "") -> Opened:
        """Raises WrongLogin, which does not say what is wrong, and TooManyTries."""
        actor = Actor(name=name, via="password", address=address)
        user, had, tries = self._proved(name, password, actor, "login")
        session = self._new("password", user.who(""), user.name, address)
        return self._opened(session, before, had=had, tries=tries)

    def check_own_password(self, name: str, password: str, actor: Actor) -> str:
        """The hash of the password of somebody who is logged in and proves it once more; what
        they try counts as log-ins do. Raises WrongLogin, TooManyTries."""
        _, had, _ = self._proved(name, password, actor, "user.password")
        return had

    def with_link(self, secret: str, address: str, before: str = "") -> Opened:
        """Raises WrongLogin where the link was used, is over, or never was."""
        told = self.taken("link", secret)
        if told is None:
            raise WrongLogin
        name = str(told["name"])
        who = Who(name=name, scope=Scope.read(told["scope"]))
        return self._opened(self._new("link", who, name, address), before)

    def as_told(self, who: Who, title: str, address: str, before: str = "") -> Opened:
        """Of whom another server has told; the session keeps the rights, to its end."""
        return self._opened(self._new("oidc", who, title, address), before)

    def make_link(self, name: str, scope: Scope, actor: Actor, life_s: int = LINK_LIVES_S) -> str:
        """The secret of a link that is good once, for so long."""
        secret = self.keep("link", {"name": name, "scope": str(scope)}, life_s)
        self._store.audit.note(actor, "link.create", name, Outcome.DONE, str(scope))
        return secret

    def known(self, id: str) -> Session | None:
        """The session of a browser, as things are now; None where it is none, or none any more."""
        return self._store.sessions.known(hashed(id), self.times) if id else None

    def log_out(self, session: Session, address: str) -> None:
        actor = Actor(name=session.who.name, via=session.who.credential, address=address)
        line = audit_line(actor, "logout", session.who.name)
        self._store.sessions.end(session.who.name, session.hash, line)

    def log_out_everywhere(self, session: Session, address: str) -> int:
        """All sessions of that one; how many there were."""
        actor = Actor(name=session.who.name, via=session.who.credential, address=address)
        line = audit_line(actor, "logout.everywhere", session.who.name)
        return self._store.sessions.end(session.who.name, "", line)

    def keep(self, kind: str, value: dict[str, Any], life_s: int) -> str:
        """Keep something for one use; the secret that it is found by."""
        secret = new_secret()
        text = json.dumps({"kind": kind, **value})
        self._store.sessions.put_ticket(secret, text.encode(), life_s)
        return secret

    def taken(self, kind: str, secret: str) -> dict[str, Any] | None:
        """What was kept, once; None where there is nothing of that kind."""
        kept = self._store.sessions.take_ticket(secret) if secret else None
        told = json.loads(kept) if kept else None
        return told if isinstance(told, dict) and told.get("kind") == kind else None

    def _proved(
        self, name: str, password: str, actor: Actor, action: str
    ) -> tuple[User, str, tuple[Try, Try]]:
        """The user, the hash that their password has, and what the try counted for."""
        tries = (
            Try(of=f"user:{name}", most=_OF_A_USER, within_s=_WITHIN_S),
            Try(of=f"from:{actor.address}", most=_FROM_AN_ADDRESS, within_s=_WITHIN_S),
        )
        wait_ms = self._store.sessions.may_try(tries)
        if wait_ms:
            raise TooManyTries(-(-wait_ms // 1000))
        user = self._store.users.user(name) if USER_NAME.fullmatch(name) else None
        kept = PasswordHash.read(user.password) if user else None
        with self._comparing:
            is_right = (kept or NOBODY).is_of(password)
        if user is None or kept is None or not is_right:
            # A name that is none may be a password, typed into the wrong field.
            who = Actor(
                name=user.name if user else "(unknown)", via=actor.via, address=actor.address
            )
            self._store.audit.note(who, action, who.name, Outcome.REFUSED, "wrong password")
            raise WrongLogin
        return user, self._renewed(user, kept, password), tries

    def _renewed(self, user: User, kept: PasswordHash, password: str) -> str:
        """The hash of the password, made anew where it costs less than hashes do by now."""
        if not kept.is_outdated:
            return user.password
        with self._comparing:
            new = str(PasswordHash.of(password))
        done = self._store.users.change(user.name, {"password": new}, None, had=user.password)
        return user.password if done == "missing" else new

    def _new(self, kind: Kind, who: Who, title: str, address: str) -> Session:
        return Session(
            hash="",
            kind=kind,
            who=who,
            title=title,
            created_at_ms=0,
            expires_at_ms=0,
            address=address,
        )

    def _opened(
        self,
        session: Session,
        before: str,
        had: str = "",
        tries: tuple[Try, Try] | None = None,
    ) -> Opened:
        id = new_secret()
        credential = f"session:{hashed(id)[:8]}"
        session = replace(session, hash=hashed(id), who=replace(session.who, credential=credential))
        actor = Actor(name=session.who.name, via=session.kind, address=session.address)
        line = audit_line(actor, "login", session.title, detail=credential)
        opened = self._store.sessions.open(
            session,
            self.times,
            line,
            had=had,
            before=hashed(before) if before else "",
            tries=tries,
        )
        if opened is None:
            raise WrongLogin
        return Opened(session=opened, id=id)
