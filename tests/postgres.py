"""A PostgreSQL of the test's own: in a temporary folder, reached by a unix socket, as no root."""

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# Debian's package makes this user; the server refuses to run as root.
_USER = "postgres"


def _program(name: str) -> str:
    """A program of PostgreSQL's: on PATH, or where Debian has it."""
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(beside[-1]) if beside else None)
    if found is None:
        pytest.fail(f"there is no {name} (apt install postgresql; as root, `make test` does)")
    return found


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a database, as SQLAlchemy has it."""
    is_root = os.getuid() == 0
    user = _USER if is_root else getpass.getuser()
    folder = Path(tempfile.mkdtemp(prefix="jober-pg-"))
    if is_root:
        shutil.chown(folder, user)

    def run(*command: str) -> None:
        done = subprocess.run(
            command,
            user=user if is_root else None,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}"

    data = str(folder / "data")
    settings = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=20"
    run(_program("initdb"), "-D", data, "-U", "jober", "-A", "trust", "-E", "UTF8", "--no-sync")
    try:
        # Its output goes to a file, as the server keeps what it inherits.
        run(_program("pg_ctl"), "-D", data, "-l", f"{data}/log", "-w", "-o", settings, "start")
        yield f"postgresql+psycopg://jober@/postgres?host={folder}"
    finally:
        subprocess.run(
            [_program("pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop"],
            user=user if is_root else None,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        shutil.rmtree(folder, ignore_errors=True)
