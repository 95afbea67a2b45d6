"""Runs as another user than the agent's reach the agent's socket."""

import os
import sys

import pytest

from jober.run import RunState
from tests.fleet import Fleet
from tests.worker.agents import ROLE, ended, output

# The interpreter may lie where nobody else may go: the process begins as root, has all that it
# needs loaded by a first word, and says the second as another user.
SPEAK = """
import os, pwd, sys
from jober.cli import main

def say(*words):
    sys.argv = ["jober", "progress", *words]
    try:
        status = main()
    except SystemExit as error:
        status = error.code
    if status:
        sys.exit(f"{words}: {status}")

say("1", "10")
os.setgroups([])
nobody = pwd.getpwnam("nobody")
os.setgid(nobody.pw_gid)
os.setuid(nobody.pw_uid)
say("3", "10", f"by {os.geteuid() == nobody.pw_uid}")
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change to another user")


def test_a_job_with_a_user_may_write_to_the_socket_and_has_its_secret(fleet: Fleet) -> None:
    fleet.agent("web1", ROLE)
    text = 'id -un; test -S "$JOBER_SOCKET" && test -w "$JOBER_SOCKET" && test -n "$JOBER_TOKEN"'
    run = ended(fleet, "may", command=text, shell=True, user="nobody", cwd="/")
    assert (run.state, output(fleet, run.id)) == (RunState.SUCCESS, "nobody\n")


def test_jober_progress_of_another_user_is_heard(fleet: Fleet) -> None:
    fleet.agent("web1", ROLE)
    run = ended(fleet, "speaks", command=[sys.executable, "-c", SPEAK])
    assert run.state is RunState.SUCCESS, output(fleet, run.id)
    assert run.progress is not None
    assert (run.progress.whole.done, run.progress.whole.message) == (3, "by True")
