"""Bytes that atheris makes, which looks for new ways through the pure parsers.

`python -m tests.fuzz.guided NAME RUNS KEPT FOLDER` fuzzes one of them, beginning with the texts of
`texts` in FOLDER; a defect ends the process, and its bytes are in KEPT.
"""

import sys
from collections.abc import Callable
from pathlib import Path

PARSERS = (
    "cron text", "jobs TOML", "jobs YAML", "crontab", "systemd timers", "iCalendar", "journal",
    "output frames",
)  # fmt: skip
RUNS = 5_000


def main(name: str, runs: int, kept: str, folder: str) -> None:
    import atheris

    with atheris.instrument_imports(include=["jober", "jober_worker", "icalendar", "yaml"]):
        read, seeds = _parser(name)
        from jober.errors import JoberError
    for number, seed in enumerate(seeds):
        Path(folder, f"seed-{number}").write_bytes(seed)

    def one(data: bytes) -> None:
        try:
            read(data)
        except JoberError as error:
            assert str(error).strip(), "it is refused without a word"

    prefix = f"{kept}/guided-{name.replace(' ', '-')}-"
    atheris.Setup(
        ["fuzz", f"-runs={runs}", "-timeout=120", f"-artifact_prefix={prefix}", folder], one
    )
    atheris.Fuzz()


def _parser(name: str) -> tuple[Callable[[bytes], object], list[bytes]]:
    """What reads the bytes, and what to begin with."""
    from jober.store.outputs import read_message
    from tests.fuzz import files, texts

    def of_text(read: Callable[[str], object]) -> Callable[[bytes], object]:
        return lambda data: read(data.decode("utf-8", "replace"))

    text_parsers: dict[str, tuple[Callable[[str], object], tuple[str, ...]]] = {
        "cron text": (lambda text: texts.read_cron((text, "Europe/Warsaw")), texts.CRONS),
        "jobs TOML": (texts.read_toml, texts.JOBS_TOML),
        "jobs YAML": (texts.read_yaml, texts.JOBS_YAML),
        "crontab": (lambda text: texts.import_crontab((text, False)), texts.CRONTABS),
        "systemd timers": (texts.import_systemd, texts.UNITS),
        "iCalendar": (lambda text: texts.read_calendar(text.encode()), texts.EVENTS),
    }
    if name in text_parsers:
        read, seeds = text_parsers[name]
        return of_text(read), [seed.encode() for seed in seeds]
    if name == "journal":
        return files.read_journal, [files.WHOLE]
    return read_message, [
        b"\x96\xa5frame\x01\xa6stdout\x01\x00\xc4\x01a",
        b"\x94\xa3end\xa7success\x00\x01",
    ]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
