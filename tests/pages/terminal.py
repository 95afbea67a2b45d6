"""A terminal at which a password is typed."""

import os
import pty
import select
import subprocess
from collections.abc import Mapping
from pathlib import Path

PASSWORD = "correct horse battery"
PATIENCE_S = 60


def typed_at_a_terminal(
    command: list[str], environ: Mapping[str, str], folder: Path
) -> tuple[int, str]:
    """Run it, and type a password whenever it asks for one: its status, and all that was shown."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    shown = b""
    answered = 0
    while select.select([ours], [], [], PATIENCE_S)[0]:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            # So Linux tells that nobody has the other side open any more.
            break
        shown += piece
        if shown.count(b": ") > answered and shown.rstrip(b" ").endswith(b":"):
            answered = shown.count(b": ")
            os.write(ours, PASSWORD.encode() + b"\n")
    os.close(ours)
    return process.wait(PATIENCE_S), shown.decode(errors="replace")
