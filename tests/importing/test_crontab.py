"""Crontabs as jobs: variables, users, remarks, zones, and what has no place in a job."""

from typing import Any

import pytest

from jober.importing import CrontabOptions, Imported, Remark, jobs_text, read_crontab
from jober.job import Job
from jober.jobs_file import parse_jobs


def read(text: str, **options: Any) -> Imported:
    return read_crontab(text, CrontabOptions(**{"path": "tab", "timezone": "UTC", **options}))


def jobs(imported: Imported) -> dict[str, Job]:
    """The jobs of the printed file: the same in TOML and in YAML."""
    toml = parse_jobs(jobs_text(imported, "toml"), "toml", "a.toml").jobs
    assert toml == parse_jobs(jobs_text(imported, "yaml"), "yaml", "a.yaml").jobs
    return {job.name: job for job in toml}


def one(text: str, **options: Any) -> Job:
    imported = read(text, **options)
    assert not imported.problems
    return next(iter(jobs(imported).values()))


def refused(text: str, **options: Any) -> str:
    problems = read(text, **options).problems
    assert len(problems) == 1
    return str(problems[0])


def remarks(imported: Imported) -> list[str]:
    return [line for part in imported.parts if isinstance(part, Remark) for line in part.lines]


# Entries


def test_a_line_is_a_job_that_a_shell_runs_at_its_times() -> None:
    job = one("*/5 8-18 * * mon-fri  cd /srv && ./report.sh > /dev/null\n")
    assert job.name == "report"
    assert job.command == "cd /srv && ./report.sh > /dev/null"
    assert job.shell
    assert job.cron == "*/5 8-18 * * mon-fri"


def test_it_overlaps_and_misses_as_with_cron() -> None:
    job = one("@daily x")
    assert (job.overlap, job.catch_up, job.concurrency) == ("allow", "none", None)


@pytest.mark.parametrize("alias", ["@daily", "@hourly", "@midnight", "@annually", "@weekly"])
def test_aliases_stay_as_they_are(alias: str) -> None:
    assert one(f"{alias}\tx").cron == alias


def test_every_minute_of_freebsd_is_written_out() -> None:
    assert one("@every_minute x").cron == "* * * * *"


def test_a_minus_that_keeps_the_line_out_of_syslog_is_passed_over() -> None:
    assert one("-5 4 * * * x").cron == "5 4 * * *"
    assert one("- 5 4 * * * x").cron == "5 4 * * *"


def test_a_spread_of_cronie_is_one_of_jober() -> None:
    assert one("0~30 4 * * * x").cron == "0~30 4 * * *"


def test_the_system_format_has_a_user_before_the_command() -> None:
    imported = read("17 * * * *\troot\tcd / && run-parts /etc/cron.hourly", system=True)
    job = jobs(imported)["run-parts-cron-hourly"]
    assert job.command == "cd / && run-parts /etc/cron.hourly"
    assert job.user == "root"
    assert not imported.warnings
    assert "needs an agent that is root, or that user itself" in "".join(imported.header)


def test_of_a_system_crontab_one_user_may_be_wanted() -> None:
    imported = read("1 1 * * * root a\n1 1 * * * www b\n", system=True, user="www")
    assert list(jobs(imported)) == ["b"]
    assert "left out are 1 of other users than 'www'" in imported.warnings[-1]


def test_the_owner_of_a_crontab_is_the_user_of_its_jobs() -> None:
    assert one("@daily x", user="www").user == "www"
    assert one("@daily x").user is None


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("61 * * * * x", "tab:1: cron: minute 61 is not in 0-59"),
        ("* * * x", "tab:1: it has 4 fields, and neither runs a command nor sets a variable"),
        ("x", "tab:1: it has 1 field,"),
        ("* * * * * * x", "tab:1: it has too many time fields"),
        ("5/10 * * * * x", "tab:1: minute '5/10': Debian's cron refuses a step of a single value"),
        ("0 0 L * * x", "tab:1: day of month 'L' is nothing that cron reads"),
        ("0 0 * * 5#2 x", "tab:1: day of week '5#2' is nothing that cron reads"),
        ("H 0 * * * x", "tab:1: minute 'H' is nothing that cron reads"),
        ("0, 0 * * * x", "tab:1: minute has an empty place"),
        ("10-5 * * * * x", "tab:1: cron: minute range 10-5 runs backwards"),
        ("0 0 31 2 * x", "can never fire"),
        ("@dayly x", "tab:1: '@dayly' is no alias, did you mean '@daily'?"),
        ("@daily", "tab:1: it names no command"),
        ("0 3 * * * -q x", "tab:1: '-q' is a flag that only BSD's cron knows"),
        ("0 3 * * * %x", "tab:1: nothing stands before the first %"),
        (r"0 3 * * * x \\% y", r"tab:1: crons differ in what '\\%' is"),
        ("0 3 * * * root /bin/x", "this is the format of /etc/crontab and cron.d (use --system)"),
        ("0 3 * * * x\r", "tab:1: it ends with a carriage return"),
        ("CRON_TZ=Europe/Warsav", "tab:1: CRON_TZ: 'Europe/Warsav' is not a time zone, did you"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_with_its_number(line: str, problem: str) -> None:
    assert problem in refused(line)


def test_the_other_lines_are_read_and_the_bad_one_stays_as_a_remark() -> None:
    imported = read("1 1 * * * a\n99 * * * * b\n2 2 * * * c")
    assert list(jobs(imported)) == ["a", "c"]
    assert "tab:2" in str(imported.problems[0])
    assert "Not imported, line 2: 99 * * * * b" in remarks(imported)


def test_an_empty_crontab_is_a_file_without_jobs() -> None:
    assert jobs(read("")) == {} == jobs(read("# nothing\n\n"))


# Variables


def test_variables_hold_for_the_lines_below_them() -> None:
    found = jobs(read("1 1 * * * a\nX=1\n1 1 * * * b\nX=2\nY=3\n1 1 * * * c"))
    assert [job.env for job in found.values()] == [{}, {"X": "1"}, {"X": "2", "Y": "3"}]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("X=a b", "a b"),
        ("  X =  a b  ", "a b"),
        ("X = ' a b '", " a b "),
        ('X="a\'b"', "a'b"),
        ('"X"=$HOME/x # y', "$HOME/x # y"),
        ("X=", ""),
        ("X=a=b", "a=b"),
    ],
)
def test_a_value_is_what_cron_takes_it_for(line: str, value: str) -> None:
    assert one(f"{line}\n@daily x").env == {"X": value}


def test_what_all_jobs_share_stands_in_the_defaults() -> None:
    imported = read("PATH=/a:/b\n1 1 * * * a\nX=1\n1 1 * * * b")
    assert imported.defaults["env"][0] == {"PATH": "/a:/b"}
    assert jobs(imported)["b"].env == {"PATH": "/a:/b", "X": "1"}


def test_another_shell_runs_the_very_text() -> None:
    job = one("SHELL=/bin/bash\n@daily echo {a,b} | cat")
    assert job.command == ["/bin/bash", "-c", "echo {a,b} | cat"]
    assert not job.shell


def test_home_is_where_the_command_starts() -> None:
    assert one("HOME=/srv/app\n@daily x").cwd == "/srv/app"


def test_mail_is_told_and_found_by_a_tag() -> None:
    imported = read('MAILTO="a@example.org,b"\n1 1 * * * x\nMAILTO=""\n1 1 * * * y')
    x, y = jobs(imported).values()
    assert x.tags == ["mailto:a@example.org", "mailto:b"]
    assert y.tags == [] and x.env == {}
    assert any("jober sends no mail" in line for line in remarks(imported))


def test_a_command_that_reads_mailto_has_it() -> None:
    assert one("MAILTO=me\n@daily mail $MAILTO").env == {"MAILTO": "me"}


def test_cron_tz_is_the_zone_of_the_lines_below() -> None:
    text = "1 1 * * * a\nCRON_TZ=Europe/Warsaw\n1 1 * * * b\nCRON_TZ=\n1 1 * * * c"
    found = jobs(read(text, timezone="Asia/Tokyo"))
    assert [job.timezone for job in found.values()] == ["Asia/Tokyo", "Europe/Warsaw", "Asia/Tokyo"]
    assert found["b"].env == {}


def test_lines_below_a_zone_that_is_none_are_not_read_in_another() -> None:
    imported = read("CRON_TZ=Nowhere\n1 1 * * * a")
    assert [str(problem).partition(": ")[0] for problem in imported.problems] == ["tab:1", "tab:2"]
    assert not imported.jobs


def test_tz_is_a_variable_as_in_debian_and_a_zone_where_it_is_asked_for() -> None:
    text = "TZ=Europe/Warsaw\n@daily x"
    job = one(text)
    assert (job.timezone, job.env) == ("UTC", {"TZ": "Europe/Warsaw"})
    assert "--tz-is-zone" in read(text).warnings[0]
    job = one(text, tz_is_zone=True)
    assert (job.timezone, job.env) == ("Europe/Warsaw", {"TZ": "Europe/Warsaw"})


def test_a_zone_that_is_not_known_is_utc_and_told() -> None:
    imported = read("@daily x", timezone=None)
    assert jobs(imported)["x"].timezone == "UTC"
    assert "cannot be told" in imported.warnings[0]
    assert any("The zone of the times is not known" in line for line in imported.header)


# Remarks, @reboot, names, roles


def test_a_remark_right_above_is_the_title_and_several_are_notes() -> None:
    found = jobs(read("# Nightly\n1 1 * * * a\n# One\n# two\n1 1 * * * b\n# Far\n\n1 1 * * * c"))
    assert found["a"].title == "Nightly"
    assert (found["b"].title, found["b"].notes) == (None, "One\ntwo")
    assert (found["c"].title, found["c"].notes) == (None, None)


def test_other_remarks_are_kept_as_comments() -> None:
    text = jobs_text(read("# About all\n\n1 1 * * * a\n# The end"), "toml")
    assert "# About all\n" in text and text.endswith("# The end\n")


def test_a_heading_of_columns_and_a_line_commented_out_are_no_title() -> None:
    text = "# m h  dom mon dow   command\n#5 5 * * * old\n# New\n1 1 * * * a"
    imported = read(text)
    assert jobs(imported)["a"].title == "New"
    assert "5 5 * * * old" in remarks(imported)
    assert jobs(read("# * * * * * user-name command\n1 1 * * * a"))["a"].title is None


def test_reboot_is_told_and_is_no_job() -> None:
    imported = read("@reboot /usr/bin/start me\n1 1 * * * x")
    assert list(jobs(imported)) == ["x"]
    assert imported.left_out == ("tab:1: @reboot is no schedule; told in a comment, not imported",)
    assert "  @reboot /usr/bin/start me" in remarks(imported)


def test_names_are_unique_and_the_same_at_each_import() -> None:
    text = "1 1 * * * /x/backup.sh db1\n2 2 * * * /x/backup.sh db1 all\n3 3 * * * /x/backup.sh db1"
    assert list(jobs(read(text))) == ["backup-db1", "backup-db1-all", "backup-db1-2"]
    assert read(text) == read(text)


def test_a_prefix_and_roles_are_those_asked_for() -> None:
    job = one("@daily x", prefix="web1-", roles=("web", "db+!gpu"))
    assert job.name == "web1-x"
    assert job.roles == ["web", "db+!gpu"]
