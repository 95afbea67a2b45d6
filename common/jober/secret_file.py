"""Secrets by reference, read where a program runs: in folders that its host names, among the
credentials of its service, and in its own variables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jober.errors import JoberError
from jober.secret import CREDENTIAL, ENV, SecretReference

# What systemd tells a service of its credentials by.
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
BYTES_AT_MOST = 64 * 1024


class SecretUnreadable(JoberError):
    """A secret is not to be had on this host. Its text names the reference."""

    def __init__(self, reference: str, problem: str) -> None:
        super().__init__(f"{reference}: {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What a `program` of jober finds: files in its `folders`, and what is in its `environ`."""

    program: str
    folders: Sequence[str]
    environ: Mapping[str, str]

    def value(self, reference: SecretReference) -> str:
        """Raises SecretUnreadable."""
        credentials = self.environ.get(CREDENTIALS_VARIABLE)
        if reference.kind == ENV:
            if reference.name not in self.environ:
                raise SecretUnreadable(str(reference), f"{self.program} has no such variable")
            return self.environ[reference.name]
        if reference.kind == CREDENTIAL:
            if not credentials:
                problem = f"{self.program} has no credentials (LoadCredential= of its unit)"
                raise SecretUnreadable(str(reference), problem)
            path = Path(credentials, reference.name)
        else:
            path = Path(reference.name)
        return self._read(reference, path, (*self.folders, *([credentials] if credentials else [])))

    def _read(self, reference: SecretReference, path: Path, folders: Sequence[str]) -> str:
        try:
            real = path.resolve(strict=True)
            if not any(real.is_relative_to(Path(folder).resolve()) for folder in folders):
                raise SecretUnreadable(
                    str(reference),
                    "it is in none of the folders of secrets of this host: "
                    f"{', '.join(self.folders)} ({self.program} --secrets)",
                )
            with real.open("rb") as file:
                told = file.read(BYTES_AT_MOST + 1)
        except OSError as error:
            problem = f"it cannot be read on this host: {error.strerror}"
            raise SecretUnreadable(str(reference), problem) from None
        if len(told) > BYTES_AT_MOST:
            raise SecretUnreadable(str(reference), f"it has more than {BYTES_AT_MOST} bytes")
        try:
            text = told.decode("utf-8")
        except UnicodeDecodeError:
            raise SecretUnreadable(str(reference), "it is not UTF-8") from None
        # A file that an editor has written ends with a line end, which is no part of the secret.
        text = text.removesuffix("\n").removesuffix("\r")
        if "\0" in text:
            raise SecretUnreadable(str(reference), "it holds a NUL, which no variable can")
        return text
