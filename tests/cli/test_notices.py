"""`jober notices`: messages that have not arrived yet."""

from tests.cli.conftest import Cli
from tests.fleet import Fleet
from tests.receiver import Receiver
from tests.scheduler.test_notifier import FAST, ran
from tests.waiting import wait_until


def test_what_is_refused_for_good_is_given_up_and_told(fleet: Fleet, cli: Cli) -> None:
    fleet.agent("alpha")
    fleet.scheduler(environ=FAST)
    with Receiver() as receiver:
        hooks = (f"{receiver.url}/gone", "env:HOOK_THAT_IS_NOT_SET")
        notify = [{"on": ["failure"], "webhook": hook} for hook in hooks]
        fleet.jober.add_job("job", command="false", notify=notify)
        ran(fleet, "job")
        events = fleet.jober.events("notice.failed", after="0", timeout=60)
        event = next(events)
        assert event.to_dict()["reason"] == "it answered 404"
        told = wait_until(lambda: cli("notices", "--json", "--redis", fleet.url).json)
        assert [one["to"] for one in told] == ["env:HOOK_THAT_IS_NOT_SET"]
        wait_until(lambda: cli("notices", "--json", "--redis", fleet.url).json[0]["attempts"] > 1)
        table = cli("notices", "--redis", fleet.url).text
        assert "HOOK_THAT_IS_NOT_SET" in table
    assert len(receiver.got) == 1
