"""Debian's cron on a clock of our own: what it logs, from one moment of that clock to another.

    python real_cron.py CRON LIBFAKETIME ROOT BEGIN_MS LASTING_S SPEED

It is run in a mount namespace of its own, where cron finds /etc and the crontabs of ROOT and a
/dev/log that this program reads. Each message is printed as `<moment in ms> <message>`.
"""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path


def main(cron: str, library: str, root: str, *numbers: str) -> None:
    begin_ms, lasting_s, speed = (float(number) for number in numbers)
    _mount("-t", "tmpfs", "tmpfs", "/var/spool")
    Path("/var/spool/cron").mkdir()
    _mount("--bind", f"{root}/var/spool/cron", "/var/spool/cron")
    _mount("-t", "tmpfs", "tmpfs", "/run")
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/dev")
    os.mknod("/dev/null", 0o666 | 0o020000, os.makedev(1, 3))
    os.chmod("/dev/null", 0o666)
    _mount("--bind", f"{root}/etc", "/etc")
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind("/dev/log")
    began = time.time()
    env = {"LD_PRELOAD": library, "FAKETIME": f"{begin_ms / 1000 - began:+.3f} x{speed:g}"}
    daemon = subprocess.Popen([cron, "-f"], env=env)
    try:
        while (passed := (time.time() - began) * speed) < lasting_s:
            log.settimeout(max(0.01, (lasting_s - passed) / speed))
            try:
                message = log.recv(65_536).decode("utf-8", "replace")
            except TimeoutError:
                continue
            at_ms = begin_ms + (time.time() - began) * speed * 1000
            # Without the priority and the stamp, which glibc takes from the clock of the machine.
            sys.stdout.write(f"{round(at_ms)} {message[message.index('>') + 17 :].rstrip()}\n")
    finally:
        daemon.terminate()
        daemon.wait()


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
