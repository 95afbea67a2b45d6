"""Secrets by reference, read on the host that executes a run, as it begins."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from jober.errors import JoberError
from jober.secret import CREDENTIAL, ENV, SecretReference, read_reference
from jober_worker.call import Options

# What systemd tells a service of its credentials by.
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
BYTES_AT_MOST = 64 * 1024


class SecretUnreadable(JoberError):
    """A secret that a run names is not to be had on this host. Its text names the reference."""

    def __init__(self, reference: str, problem: str) -> None:
        super().__init__(f"{reference}: {problem}")


def with_secrets(
    options: Options, folders: Sequence[str], environ: Mapping[str, str] = os.environ
) -> Options:
    """The options with the secrets in the place of what names them, and those variables among the
    ones that are masked. Raises SecretUnreadable."""
    found = {}
    for name, value in options.env.items():
        try:
            reference = read_reference(value)
        except ValueError as error:
            raise SecretUnreadable(f"env {name}", str(error)) from None
        if reference is not None:
            found[name] = _value(reference, folders, environ)
    if not found:
        return options
    return replace(
        options,
        env={**options.env, **found},
        secret=tuple(dict.fromkeys((*options.secret, *found))),
    )


def _value(reference: SecretReference, folders: Sequence[str], environ: Mapping[str, str]) -> str:
    credentials = environ.get(CREDENTIALS_VARIABLE)
    if reference.kind == ENV:
        if reference.name not in environ:
            raise SecretUnreadable(str(reference), "the agent has no such variable")
        return environ[reference.name]
    if reference.kind == CREDENTIAL:
        if not credentials:
            raise SecretUnreadable(
                str(reference), "the agent has no credentials (LoadCredential= of its unit)"
            )
        path = Path(credentials, reference.name)
    else:
        path = Path(reference.name)
    return _read(reference, path, (*folders, *([credentials] if credentials else [])))


def _read(reference: SecretReference, path: Path, folders: Sequence[str]) -> str:
    try:
        real = path.resolve(strict=True)
        if not any(real.is_relative_to(Path(folder).resolve()) for folder in folders):
            raise SecretUnreadable(
                str(reference),
                f"it is in none of the folders of secrets of this host: {', '.join(folders)} "
                "(jober-worker --secrets)",
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
