"""What a command is about, as the name of a job."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jober.errors import DefinitionError
from jober.ids import JOB_NAME
from jober.importing.names import Names, command_names


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/usr/local/bin/backup.sh", "backup"),
        ("certbot -q renew", "certbot-renew"),
        ("cd / && run-parts --report /etc/cron.daily", "run-parts-cron-daily"),
        ("test -x /sbin/x || ( cd / && run-parts /etc/cron.weekly )", "run-parts-cron-weekly"),
        ("[ -x /usr/lib/php/sessionclean ] && /usr/lib/php/sessionclean", "sessionclean"),
        ("command -v debian-sa1 > /dev/null && debian-sa1 1 1", "debian-sa1"),
        ("if [ -d /x ]; then /x/run; fi", "run"),
        ("PATH=/a:/b LANG=C /x/report weekly", "report-weekly"),
        ("nice -n 19 ionice -c3 /x/index.py", "index"),
        ("flock -n /run/x.lock timeout 60 /x/sync all", "sync-all"),
        ("sudo -u www php /srv/artisan schedule:run >> /dev/null 2>&1", "artisan-schedule-run"),
        ("/usr/bin/python3 -u /srv/app/Daily_Job.py --all", "daily-job"),
        ("bash -c 'sleep 5; /x/poll now'", "poll-now"),
        ("python3 -m app.tasks", "app-tasks"),
        ("mysqldump --all | gzip > /b.gz", "mysqldump"),
        ("echo 'unclosed", "echo"),
        ("***", "job"),
    ],
)  # fmt: skip
def test_the_name_tells_what_runs(command: str, name: str) -> None:
    assert Names().take(command_names(command)) == name


@given(st.lists(st.text(max_size=30), max_size=8), st.sampled_from(["", "web1-"]))
def test_any_command_has_a_name_and_no_two_have_the_same(commands: list[str], prefix: str) -> None:
    names = Names(prefix)
    found = [names.take(command_names(command)) for command in commands]
    assert all(JOB_NAME.fullmatch(name) and name.startswith(prefix) for name in found)
    assert len(set(found)) == len(found)


def test_a_prefix_that_no_name_may_begin_with_is_refused() -> None:
    with pytest.raises(DefinitionError, match="is not a job name"):
        Names("-x")
