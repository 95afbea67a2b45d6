"""The bytes of a file that a person wrote, of a size that can be read at once."""

from jober.errors import DefinitionError

BYTES_AT_MOST = 16 << 20


def read_bytes(name: str, mend: str) -> bytes:
    """What is in the file; `mend` is what to do about one that is larger than 16 MiB. Raises
    DefinitionError."""
    try:
        with open(name, "rb") as file:
            data = file.read(BYTES_AT_MOST + 1)
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else str(error)
        raise DefinitionError(
            f"it cannot be read: {(problem or str(error)).lower()}",
            file=name,
            mend="name a file that is there and readable",
        ) from None
    if len(data) > BYTES_AT_MOST:
        raise DefinitionError("it is larger than 16 MiB", file=name, mend=mend)
    return data
