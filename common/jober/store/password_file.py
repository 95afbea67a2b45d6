"""A password that stands in a file: a secret of systemd, of Kubernetes, of Docker."""

from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis import ConnectionError
from redis.credentials import CredentialProvider

OPTION = "password_file"


class PasswordFile(CredentialProvider):
    """Reads the first line of the file with each new connection, so that another password holds
    from then on, without a restart."""

    def __init__(self, user: str | None, path: str) -> None:
        """Raises ValueError where the path is not absolute: programs start in many folders."""
        if not path.startswith("/"):
            raise ValueError(f"{OPTION} '{path}' is no absolute path")
        self._user = user
        self._path = path

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """What AUTH takes. Raises ConnectionError: the file may be there later."""
        try:
            with open(self._path, encoding="utf-8") as file:
                password = file.readline().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            problem = error.strerror if isinstance(error, OSError) else "it is no text"
            raise ConnectionError(f"{OPTION} {self._path}: {problem}") from None
        if not password:
            raise ConnectionError(f"{OPTION} {self._path}: its first line is empty")
        return (self._user, password) if self._user else (password,)


def take_password_file(url: str) -> tuple[str, PasswordFile | None]:
    """The address without its login, and who has that; or the address as it is, and None, where
    it names no file. Raises ValueError."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    path = query.pop(OPTION, None)
    if path is None:
        return url, None
    login, _, address = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    if password or "password" in query:
        raise ValueError(f"a password and a {OPTION}: one of them is enough")
    name = query.pop("username", None) or unquote(user) or None
    bare = f"{parts.scheme}://{address}{parts.path}"
    return f"{bare}?{urlencode(query)}" if query else bare, PasswordFile(name, path)
