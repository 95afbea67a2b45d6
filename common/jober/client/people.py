"""Users, tokens and the audit log, for the command line and the web."""

from collections.abc import Iterable
from dataclasses import replace

from jober.access.audit import AuditEntry, AuditFilter, Outcome
from jober.access.errors import NotAllowed, TokenNotFound, UserExists, UserNotFound
from jober.access.password import PasswordHash, check_password
from jober.access.scope import Scope
from jober.access.secret import hashed
from jober.access.token import (
    USUAL_S,
    Token,
    check_life_s,
    check_token_id,
    check_token_name,
    new_token,
    read_token,
    token_text,
)
from jober.access.user import User, check_user_name
from jober.access.who import Actor, Who, check_names
from jober.client.access import Access
from jober.errors import DefinitionError, JoberError
from jober.store.audit import audit_line, is_entry_id
from jober.store.users import limits_text

_LISTED = 10_000


class People:
    """Who may do what at one jober, and who did. Each change is noted with its `actor`."""

    def __init__(self, jober: Access) -> None:
        self._store = jober.store

    # Users

    def users(self, limit: int = 100, after: str | None = None) -> list[User]:
        """In order of their names, those after that one."""
        return self._store.users.page(limit, after)

    def user(self, name: str) -> User:
        """Raises UserNotFound."""
        found = self._store.users.user(check_user_name(name))
        if found is None:
            raise UserNotFound(name, self._store.users.names(_LISTED))
        return found

    def has_users(self) -> bool:
        """Whether anybody can log in with a password."""
        return self._store.users.any()

    def add_user(
        self,
        name: str,
        password: str,
        scope: str,
        actor: Actor,
        *,
        tags: Iterable[str] | None = None,
        roles: Iterable[str] | None = None,
    ) -> None:
        """Raises DefinitionError, UserExists."""
        user = User(
            name=check_user_name(name),
            scope=Scope.read(scope),
            tags=check_names(tags, "tags"),
            roles=check_names(roles, "roles"),
            password=str(PasswordHash.of(check_password(password, name))),
        )
        line = audit_line(
            actor, "user.add", name, detail=_rights(user.scope, user.tags, user.roles)
        )
        outcome = self._store.users.add(user, line)
        if outcome == "exists":
            raise UserExists(name)
        if outcome == "too many":
            raise JoberError("there are too many users to add another (jober user remove NAME)")

    def set_password(
        self, name: str, password: str, actor: Actor, *, but_session: str = "", had: str = ""
    ) -> None:
        """All sessions of the user end, but for the one with that hash. `had` is the hash that
        the password has to have up to now. Raises DefinitionError, UserNotFound."""
        new = str(PasswordHash.of(check_password(password, name)))
        done = self._store.users.change(
            check_user_name(name),
            {"password": new},
            audit_line(actor, "user.password", name),
            ends_sessions=True,
            but=but_session,
            had=had,
        )
        if done == "missing":
            raise UserNotFound(name, self._store.users.names(_LISTED))

    def set_rights(
        self,
        name: str,
        scope: str,
        actor: Actor,
        *,
        tags: Iterable[str] | None = None,
        roles: Iterable[str] | None = None,
    ) -> bool:
        """From the next request on, also of sessions and tokens; False where it was so.
        Raises DefinitionError, UserNotFound."""
        wanted = Scope.read(scope), check_names(tags, "tags"), check_names(roles, "roles")
        fields = {
            "scope": str(wanted[0]),
            "tags": limits_text(wanted[1]),
            "roles": limits_text(wanted[2]),
        }
        line = audit_line(actor, "user.scope", name, detail=_rights(*wanted))
        done = self._store.users.change(check_user_name(name), fields, line)
        if done == "missing":
            raise UserNotFound(name, self._store.users.names(_LISTED))
        return done == "done"

    def remove_user(self, name: str, actor: Actor) -> None:
        """With all sessions and tokens. Raises UserNotFound."""
        if not self._store.users.remove(
            check_user_name(name), audit_line(actor, "user.remove", name)
        ):
            raise UserNotFound(name, self._store.users.names(_LISTED))

    def end_sessions(self, name: str, actor: Actor) -> int:
        """Log somebody out everywhere, also one who came by a link or by OpenID Connect; how many
        sessions there were."""
        return self._store.sessions.end(name, "", audit_line(actor, "user.logout", name))

    def sessions_of(self, name: str) -> int:
        """How many are open."""
        return self._store.sessions.count(name)

    # Tokens

    def tokens(self, limit: int = 100, first: int = 0, user: str | None = None) -> list[Token]:
        """In the order in which they expire, from the one at that place; of one user, or all."""
        return self._store.tokens.page(limit, first, user)

    def make_token(
        self,
        name: str,
        scope: str,
        actor: Actor,
        *,
        tags: Iterable[str] | None = None,
        roles: Iterable[str] | None = None,
        user: str | None = None,
        life_s: float = USUAL_S,
        maker: Who | None = None,
    ) -> tuple[Token, str]:
        """The token, and its text, which nobody can tell again. With a `maker`, it may be for no
        more than that one may. Raises DefinitionError, UserNotFound, NotAllowed."""
        id, secret = new_token()
        token = Token(
            id=id,
            name=check_token_name(name),
            scope=Scope.read(scope),
            tags=check_names(tags, "tags"),
            roles=check_names(roles, "roles"),
            user=None if user is None else check_user_name(user),
            hash=hashed(secret),
        )
        if maker is not None:
            token = _within(token, maker)
        life = check_life_s(life_s)
        line = audit_line(
            actor,
            "token.create",
            id,
            detail=f"{token.name}: {_rights(token.scope, token.tags, token.roles)}",
        )
        made = self._store.tokens.make(token, life, line)
        if made == "no user":
            raise UserNotFound(token.user or "", self._store.users.names(_LISTED))
        if isinstance(made, str):
            raise JoberError("there are too many tokens to make another (jober token revoke ID)")

        kept = replace(token, created_at_ms=made[0], expires_at_ms=made[1])
        return kept, token_text(id, secret)

    def revoke_token(self, id: str, actor: Actor, *, user: str | None = None) -> None:
        """It opens nothing from now on. Where a `user` is named, it has to be theirs.
        Raises DefinitionError, TokenNotFound."""
        bare = check_token_id(id)
        if not self._store.tokens.revoke(bare, user, audit_line(actor, "token.revoke", bare)):
            raise TokenNotFound(bare)

    def bearer(self, text: str) -> Who | None:
        """Whom a token stands for, as things are now; None where it stands for nobody."""
        read = read_token(text)
        if read is None:
            return None
        found = self._store.tokens.known(read[0], hashed(read[1]))
        if found is None:
            return None
        token, user = found
        if user is None:
            return token.who()
        return token.who().narrowed(user.scope, user.tags, user.roles)

    # The audit log

    def note(
        self,
        actor: Actor,
        action: str,
        object: str,
        outcome: Outcome = Outcome.DONE,
        detail: str = "",
    ) -> None:
        """Note what somebody did, or tried."""
        self._store.audit.note(actor, action, object, outcome, detail)

    def audit(
        self, limit: int = 50, before: str | None = None, wanted: AuditFilter | None = None
    ) -> tuple[list[AuditEntry], str | None]:
        """What was done, newest first, before the line with that id, and the id to go on before;
        None at the end of the log. Raises DefinitionError."""
        if before is not None and not is_entry_id(before):
            raise DefinitionError(
                f"{before[:60]!r} is no place in the log",
                field="before",
                value=before,
                mend="what a page before this one told as next, as 1795222800000-0",
            )
        return self._store.audit.newest(limit, wanted or AuditFilter(), before)


def _within(token: Token, maker: Who) -> Token:
    """The token, limited as its maker is. Raises NotAllowed where it asks for more."""
    if token.scope > maker.scope:
        raise NotAllowed(f"who is {maker.scope} makes no token for {token.scope}")
    tags = _own(maker.tags, token.tags, "tags")
    return replace(token, tags=tags, roles=_own(maker.roles, token.roles, "roles"))


def _own(
    own: frozenset[str] | None, asked: frozenset[str] | None, field: str
) -> frozenset[str] | None:
    if own is None or asked is None:
        return own if asked is None else asked
    if not asked <= own:
        raise NotAllowed(f"its {field} have to be among your own: {', '.join(sorted(own))}")
    return asked


def _rights(scope: Scope, tags: frozenset[str] | None, roles: frozenset[str] | None) -> str:
    told = [str(scope)]
    told += [f"tags {','.join(sorted(tags))}"] if tags is not None else []
    told += [f"roles {','.join(sorted(roles))}"] if roles is not None else []
    return ", ".join(told)
