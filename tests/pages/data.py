"""Blocks that are data are read by what they are for."""

import configparser
import json
import re
from pathlib import PurePath

import yaml

from jober.batch import read_items
from jober.jobs_file import parse_jobs
from jober_worker.config_file import ConfigFile
from jober_worker.options import effective
from tests.pages.blocks import Block

# A jobs file has one of these, and nothing else has.
_JOBS = re.compile(r"^(\[?)(jobs|defaults|limits|calendars)\b", re.MULTILINE)


def check_data(block: Block) -> None:
    """Raises whatever the reader of such a file raises where it is wrong."""
    {
        "toml": _toml,
        "yaml": _yaml,
        "json": _json,
        "ini": _ini,
    }[block.language](block)


def _toml(block: Block) -> None:
    if PurePath(block.title or "").name == "worker.toml":
        file = ConfigFile(block.title, block.text)
        effective({}, {}, file.values, file.path)
        assert file.allow
    else:
        _jobs(block, "toml")


def _yaml(block: Block) -> None:
    if _JOBS.search(block.text):
        _jobs(block, "yaml")
    else:
        assert all(isinstance(one, dict | list) for one in yaml.safe_load_all(block.text))


def _jobs(block: Block, format: str) -> None:
    read = parse_jobs(block.text, format, block.place)  # type: ignore[arg-type]
    assert read.jobs or read.calendars or read.limits, block.place


def _json(block: Block) -> None:
    value = json.loads(block.text)
    if isinstance(value, list):
        assert read_items(value, block.place)


def _ini(block: Block) -> None:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(block.text)
    assert parser.sections(), block.place
