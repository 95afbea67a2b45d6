"""Every code block of the README and of docs/ does what it says, on a real fleet."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from jober.embedded import RedisServer
from tests.fleet import Fleet
from tests.pages.blocks import PAGES, ROOT, blocks_of, statements
from tests.pages.parsing import check_parsed
from tests.pages.reader import Reader, make_folder

LANGUAGES = {"console", "crontab", "ini", "json", "python", "sh", "text", "toml", "yaml"}
# Its recipes want a fleet that has done all that there is to do: tests/test_redis_doc.py has one.
ELSEWHERE = "docs/redis.md"

BLOCKS = {page.relative_to(ROOT).as_posix(): blocks_of(page) for page in PAGES}
ALL = [block for blocks in BLOCKS.values() for block in blocks]
# What is not run, by page, and why.
NOT_RUN = {
    "README.md": [
        "it is what starts this very test",
        "it is at the fleet of the demo",
        "it installs, from a registry of packages",
        "it wants a host with a cron and its log",
        "within a run alone",
    ],
    "docs/coming-from-apscheduler.md": ["APScheduler's own"],
    "docs/coming-from-celery-beat.md": ["Celery's own"],
    "docs/coming-from-cron.md": ["it wants a host with a cron and its log"] * 2,
    "docs/index.md": ["it installs, from a registry of packages"],
    "docs/logs.md": [
        "it reads the journal of systemd",
        "it installs, from a registry of packages",
    ],
    "docs/operations.md": [
        "tests/deploy does it, in a folder of its own",
        "it needs root",
        "it asks a Sentinel",
        "it needs root; tests/deploy does it below a folder",
        "it needs root; tests/deploy does it below a folder",
        "tests/deploy does it, below a folder",
        "it needs an engine of containers",
        "it needs a cluster",
        "it needs root",
        "it needs a cluster",
        "it asks for a run of long ago",
        "it asks a Sentinel",
        "it asks a Sentinel",
    ],
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fleet, Path]]:
    """A scheduler, and two hosts with every role."""
    folder = tmp_path_factory.mktemp("reader")
    with RedisServer(durable=True) as server:
        fleet = Fleet(server.url, tmp_path_factory.mktemp("logs"))
        fleet.cwd = folder
        fleet.environ = make_folder(folder)
        try:
            fleet.scheduler()
            for host in ("db1", "web1"):
                fleet.agent(host, "*")
            fleet.leading()
            yield fleet, folder
        finally:
            fleet.stop()
            print(fleet.logs())  # noqa: T201 - shown by pytest where the test fails


@pytest.mark.parametrize("page", [page for page, blocks in BLOCKS.items() if blocks])
def test_what_a_page_says_is_so(page: str, machine: tuple[Fleet, Path]) -> None:
    if page == ELSEWHERE:
        return
    reader = Reader(*machine)
    wrong = reader.read(block for block in BLOCKS[page] if block.reason is None)
    wrong += reader.end()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", BLOCKS)
def test_a_block_is_in_a_language_and_its_commands_are_ours(page: str) -> None:
    """Those that are not run, too."""
    for block in BLOCKS[page]:
        assert block.language in LANGUAGES, f"{block.place} is in '{block.language}'"
        if block.language == "python":
            ast.parse(block.text)
        elif block.language in ("sh", "console"):
            for statement in statements(block):
                check_parsed(statement.text)


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    left_out: dict[str, list[str]] = {}
    for block in ALL:
        if block.reason is not None:
            left_out.setdefault(block.page, []).append(block.reason)
    assert left_out == NOT_RUN
