"""Who may do what: values and rules, without Redis and without the web.

`scope` orders what somebody may do, `who` says which jobs somebody sees, `user`, `token` and
`session` are what is kept of people and programs, `password` and `secret` are how they prove who
they are, `audit` is what they did.
"""

from jober.access.audit import AuditEntry, Outcome
from jober.access.password import PasswordHash, check_password
from jober.access.scope import Scope
from jober.access.session import Session
from jober.access.token import Token
from jober.access.user import User, check_user_name
from jober.access.who import Actor, HasPlace, Who, check_names

__all__ = [
    "Actor",
    "AuditEntry",
    "HasPlace",
    "Outcome",
    "PasswordHash",
    "Scope",
    "Session",
    "Token",
    "User",
    "Who",
    "check_names",
    "check_password",
    "check_user_name",
]
