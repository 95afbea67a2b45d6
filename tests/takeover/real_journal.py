"""systemd's journal, written by a journald of our own: python real_journal.py ROOT MESSAGE…

It is run in a mount namespace of its own. Each MESSAGE is as a program gives it to syslog(3); they
are in the journal of ROOT when this ends.
"""

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

DAEMON = "/lib/systemd/systemd-journald"
SOCKET = Path("/run/systemd/journal/dev-log")


def main(root: str, *messages: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    for folder in (SOCKET.parent, Path("/run/log/journal")):
        folder.mkdir(parents=True)
    daemon = subprocess.Popen([DAEMON])
    try:
        until = time.monotonic() + 60
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            while time.monotonic() < until:
                try:
                    log.connect(str(SOCKET))
                    break
                except OSError:
                    time.sleep(0.02)
            for message in messages:
                log.send(message.encode())
        while time.monotonic() < until and not _has(messages[-1]):
            time.sleep(0.05)
    finally:
        daemon.terminate()
        daemon.wait()
    shutil.copytree("/run/log/journal", f"{root}/var/log/journal")


def _has(message: str) -> bool:
    told = subprocess.run(["journalctl", "--output=cat"], capture_output=True, text=True).stdout
    return message.partition(": ")[2] in told


if __name__ == "__main__":
    main(*sys.argv[1:])
