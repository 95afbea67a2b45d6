"""Secrets by reference in what a run is to have as variables: read as it begins."""

from dataclasses import replace

from jober.secret import read_reference
from jober.secret_file import Secrets, SecretUnreadable
from jober_worker.call import Options


def with_secrets(options: Options, secrets: Secrets) -> Options:
    """The options with the secrets in the place of what names them, and those variables among the
    ones that are masked. Raises SecretUnreadable."""
    found = {}
    for name, value in options.env.items():
        try:
            reference = read_reference(value)
        except ValueError as error:
            raise SecretUnreadable(f"env {name}", str(error)) from None
        if reference is not None:
            found[name] = secrets.value(reference)
    if not found:
        return options
    return replace(
        options,
        env={**options.env, **found},
        secret=tuple(dict.fromkeys((*options.secret, *found))),
    )
