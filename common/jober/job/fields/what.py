"""What a job runs."""

from typing import Any

from jober.job.fields.field import FieldGroup, job_field


class WhatFields(FieldGroup):
    """One of command, call, module, script, and its arguments."""

    command: str | list[str] | None = job_field(
        "A program and its arguments: text, split as a shell would (by shlex), or a list.",
        expects="text or a list of texts",
        mend='command = "df -h", or command = ["df", "-h"]',
    )
    shell: bool = job_field(
        "Give the command, as one text, to /bin/sh -c.",
        expects="true or false",
        mend="shell = true",
        default=False,
    )
    call: str | None = job_field(
        "A function, as module:function, called in a thread of the agent.",
        expects="text",
        mend='call = "pkg.mod:func"',
    )
    module: str | None = job_field(
        "A module, run as by python -m.", expects="text", mend='module = "pkg.mod"'
    )
    script: str | None = job_field(
        "The path of a Python file to run, or path:function to call a function of it. It stays "
        "as written: a relative one is found from cwd, on the host that runs it.",
        expects="text",
        mend='script = "./x.py" or "./x.py:func"',
    )
    args: list[Any] = job_field(
        "Arguments by position, JSON values. A function takes them as they are; a program takes "
        "text as it is, and other values as JSON; a shell, quoted at the end of the command.",
        expects="a list",
        mend='args = [1, "two"]',
        default=[],
    )
    kwargs: dict[str, Any] = job_field(
        "Arguments by name, JSON values. A program takes them as options after args: dry_run = "
        "true is --dry-run, count = 2 is --count 2, false is left out, a list is repeated.",
        expects="a table",
        mend="kwargs = { count = 2 }",
        default={},
    )
