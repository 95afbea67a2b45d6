"""A crontab becomes a jobs file that fires when the crontab's lines do, and says what they say."""

from datetime import UTC, datetime
from itertools import islice

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jober.errors import DefinitionError
from jober.importing import CrontabOptions, Imported, ImportedJob, jobs_text, read_crontab
from jober.jobs_file import parse_jobs
from jober.schedule import parse

START = datetime(2026, 3, 27, tzinfo=UTC)
ZONES = ("UTC", "Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")


def field(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    pair = st.tuples(number, number).map(sorted)
    step = st.integers(1, 20)
    item = st.one_of(
        number.map(str),
        st.just("*"),
        step.map("*/{}".format),
        pair.map(lambda ends: f"{ends[0]}-{ends[1]}"),
        st.tuples(pair, step).map(lambda both: f"{both[0][0]}-{both[0][1]}/{both[1]}"),
        *([st.sampled_from(names)] if names else []),
    )
    return st.lists(item, min_size=1, max_size=3).map(",".join)


entries = st.tuples(
    field(0, 59),
    field(0, 23),
    field(1, 31),
    field(1, 12, ("jan", "Dec")),
    field(0, 7, ("mon", "SUN")),
).map(" ".join)


@settings(max_examples=200)
@given(entries, st.sampled_from(ZONES), st.sampled_from(ZONES), st.booleans())
def test_the_fires_are_those_of_the_line_in_its_zone(
    when: str, here: str, there: str, cron_tz: bool
) -> None:
    try:
        schedule = parse({"cron": when}, there if cron_tz else here)
    except DefinitionError:
        assume(False)
    head = f"CRON_TZ={there}\n" if cron_tz else ""
    imported = read_crontab(f"{head}{when} x\n", CrontabOptions(path="tab", timezone=here))
    assert not imported.problems
    (job,) = parse_jobs(jobs_text(imported, "toml"), "toml", "a.toml").jobs
    assert job.schedule is not None
    end = datetime(2029, 1, 1, tzinfo=UTC)
    assert list(islice(job.schedule.between(START, end), 50)) == list(
        islice(schedule.between(START, end), 50)
    )


texts = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40
)


@settings(max_examples=300)
@given(texts, texts, st.text("ab\n'\"\\ \t#:-", max_size=20))
def test_any_text_stands_in_the_file_as_it_is(command: str, value: str, notes: str) -> None:
    assume(command.strip() and notes.strip())
    fields = {
        "title": value,
        "command": command,
        "shell": True,
        "cron": "@daily",
        "env": {"X": value, "A B": command},
        "tags": [value],
        "notes": notes,
    }
    job = ImportedJob(name="on", fields=fields, remarks=(command, value, notes))
    imported = Imported(header=(value, ""), defaults={"grace": (9, notes)}, parts=(job,))
    for format in ("toml", "yaml"):
        text = jobs_text(imported, format)
        (read,) = parse_jobs(text, format, "x").jobs
        assert {name: getattr(read, name) for name in fields} == fields
        assert read.grace == 9


@settings(max_examples=300)
@given(st.text("0123456789*,-/~%\\ \t\nabc=#@'\"HLCRON_TZSE", max_size=120))
def test_whatever_a_crontab_holds_it_is_imported_or_told(text: str) -> None:
    imported = read_crontab(text, CrontabOptions(path="tab", timezone="UTC"))
    read = parse_jobs(jobs_text(imported, "toml"), "toml", "x").jobs
    assert [job.name for job in read] == [job.name for job in imported.jobs]
    lines = [line.strip() for line in text.split("\n")]
    told = sum(bool(line) and not line.startswith("#") and "=" not in line for line in lines)
    assert told <= len(imported.problems) + len(imported.jobs)
