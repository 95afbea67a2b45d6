"""All that is fuzzed."""

from tests.fuzz import agents, calls, command_lines, files, messages, sockets, texts
from tests.fuzz.target import Target

TARGETS: tuple[Target, ...] = (
    *texts.TARGETS,
    *calls.TARGETS,
    *command_lines.TARGETS,
    *agents.TARGETS,
    *messages.TARGETS,
    *sockets.TARGETS,
    *files.TARGETS,
)
