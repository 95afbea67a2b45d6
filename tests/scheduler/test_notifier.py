"""A real scheduler tells: by webhooks that are signed and tried again, and by mail."""

import hashlib
import hmac
import json
import os
import signal
import time
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler

from jober.secret_file import Secrets
from jober_scheduler.sending import Undeliverable, resolved
from tests.fleet import Fleet
from tests.free_port import free_port
from tests.receiver import Got, Receiver
from tests.waiting import wait_until

# Delays of 10 s are half a second so.
FAST = {"JOBER_PACE": "0.05"}


class Mails(MessageHandler):
    """Keeps the mails that arrive; the first `refused` are turned away."""

    def __init__(self, refused: int = 0) -> None:
        super().__init__()
        self.mails: list[Message] = []
        self.refused = refused

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refused:
            self.refused -= 1
            return "451 later"
        return str(await super().handle_DATA(server, session, envelope))

    def handle_message(self, message: Message) -> None:
        self.mails.append(message)


def ran(fleet: Fleet, name: str, *args: str) -> str:
    """The id of a run that has ended."""
    return fleet.jober.run(name, args=list(args)).wait(60).id


def test_failure_and_recovery_are_told_once_each_and_signed(fleet: Fleet, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    fleet.agent("alpha")
    fleet.scheduler("--secrets", str(tmp_path))
    with Receiver() as receiver:
        fleet.jober.add_job(
            "job",
            command="exit",
            shell=True,
            title="The job",
            notify=[{"webhook": f"{receiver.url}/hook", "secret": f"file:{secret}"}],
        )
        runs = [ran(fleet, "job", status) for status in ("3", "3")]
        runs += [ran(fleet, "job", status) for status in ("0", "0")]
        wait_until(lambda: len(receiver.got) == 2, 60)
        wait_until(lambda: fleet.jober.store.notices.waiting() == [])
        assert fleet.jober.store.notices.oldest() == []
    told = [json.loads(got.body) for got in receiver.got]
    assert [(one["about"], one["run"], one["state"]) for one in told] == [
        ("failure", runs[0], "failed"),
        ("recovery", runs[2], "success"),
    ]
    assert told[0]["job"] == "job"
    assert told[0]["title"] == "The job"
    assert told[0]["host"] == "alpha"
    assert told[0]["reason"] == "exit code 3"
    for got in receiver.got:
        expected = hmac.new(b"hunter2", got.body, hashlib.sha256).hexdigest()
        assert got.headers["X-Jober-Signature-256"] == f"sha256={expected}"
        assert got.headers["Content-Type"] == "application/json"
    assert receiver.got[0].headers["X-Jober-Event"] == "failure"
    sent = [event for event in fleet.jober.recent_events() if event.type == "notice.sent"]
    assert [event.facts["to"] for event in sent] == ["127.0.0.1"] * 2


def test_secrets_of_messages_are_read_as_those_of_runs_and_nowhere_else(tmp_path: Path) -> None:
    folder, credentials = tmp_path / "secrets", tmp_path / "credentials"
    for one in (folder, credentials):
        one.mkdir()
        (one / "hook").write_text("hunter2\n")
    os.symlink("/etc/passwd", folder / "link")
    (folder / "large").write_bytes(b"x" * 65_537)
    secrets = Secrets(
        program="jober-scheduler",
        folders=[str(folder)],
        environ={"CREDENTIALS_DIRECTORY": str(credentials), "HOOK": "hunter2"},
    )
    for told in (f"file:{folder}/hook", "secret:credential:hook", "env:HOOK"):
        assert resolved(told, secrets) == "hunter2"
    assert resolved("https://example.org/env:HOOK", secrets) == "https://example.org/env:HOOK"
    for told, problem in (
        ("file:/etc/passwd", "in none of the folders of secrets .*jober-scheduler --secrets"),
        (f"file:{folder}/link", "in none of the folders"),
        (f"file:{folder}/../secrets/../../passwd", "cannot be read|in none of the folders"),
        ("credential:../hook", "no name of one"),
        (f"file:{folder}/large", "more than 65536 bytes"),
        ("env:JOBER_REDIS_URL", "no name of one"),
        ("env:NONE", "has no such variable"),
    ):
        with pytest.raises(Undeliverable, match=problem):
            resolved(told, secrets)


def test_a_webhook_that_fails_is_tried_again_under_the_same_id(fleet: Fleet) -> None:
    fleet.agent("alpha")
    fleet.scheduler(environ=FAST)
    answers = iter([500, 429])
    with Receiver(lambda got: next(answers, 200)) as receiver:
        notify = [{"on": ["failure"], "webhook": receiver.url}]
        fleet.jober.add_job("job", command="false", notify=notify)
        ran(fleet, "job")
        wait_until(lambda: len(receiver.got) == 3, 60)
        wait_until(lambda: fleet.jober.store.notices.waiting() == [])
    assert len({got.headers["X-Jober-Delivery"] for got in receiver.got}) == 1
    assert len({got.body for got in receiver.got}) == 1


def test_messages_of_a_job_reach_a_receiver_in_order_however_often_each_is_tried(
    fleet: Fleet,
) -> None:
    fleet.agent("alpha")
    fleet.scheduler(environ=FAST)
    answers = iter([500, 500])
    with Receiver(lambda got: next(answers, 200)) as receiver:
        notify = [{"webhook": receiver.url}]
        fleet.jober.add_job("job", command="exit", shell=True, notify=notify)
        for status in ("1", "0", "1", "0"):
            ran(fleet, "job", status)
        wait_until(lambda: len(_sent(fleet)) == 4, 60)
    told = [json.loads(got.body)["about"] for got in receiver.got]
    assert told == ["failure"] * 3 + ["recovery", "failure", "recovery"]


def test_a_receiver_that_hangs_keeps_no_other_waiting(fleet: Fleet) -> None:
    fleet.agent("alpha")
    fleet.scheduler()

    def answer(got: Got) -> int:
        if got.path == "/slow":
            time.sleep(8)
        return 200

    with Receiver(answer) as receiver:
        hooks = (f"{receiver.url}/slow", f"{receiver.url}/quick")
        notify = [{"on": ["failure"], "webhook": hook} for hook in hooks]
        fleet.jober.add_job("job", command="false", notify=notify)
        ran(fleet, "job")
        wait_until(lambda: {got.path for got in receiver.got} == {"/slow", "/quick"}, 60)
        # The quick one is over while the slow one is still waited for.
        wait_until(lambda: len(fleet.jober.store.notices.waiting()) == 1, 60)
        [waiting] = fleet.jober.store.notices.waiting()
        assert waiting.policy.webhook == hooks[0]


def test_a_redirect_is_not_followed(fleet: Fleet) -> None:
    fleet.agent("alpha")
    fleet.scheduler(environ=FAST)
    with Receiver(lambda got: 302 if len(receiver.got) == 1 else 200) as receiver:
        notify = [{"on": ["failure"], "webhook": receiver.url}]
        fleet.jober.add_job("job", command="false", notify=notify)
        ran(fleet, "job")
        wait_until(lambda: len(receiver.got) == 2, 60)
    assert receiver.got[0].body == receiver.got[1].body


@pytest.mark.parametrize("point", ["leader.before_take", "leader.sent"])
def test_another_leader_goes_on_where_one_dies(fleet: Fleet, point: str) -> None:
    fleet.agent("alpha")
    doomed = fleet.scheduler(environ={**FAST, "JOBER_FAILPOINTS": f"{point}=kill"})
    with Receiver() as receiver:
        fleet.jober.add_job(
            "job", command="false", notify=[{"on": ["failure"], "webhook": receiver.url}]
        )
        ran(fleet, "job")
        doomed.wait(60)
        assert doomed.returncode == -signal.SIGKILL
        fleet.scheduler(environ=FAST)
        wait_until(lambda: _sent(fleet), 60)
    # It arrives once, or once more under the same id where it had arrived before.
    assert len({got.headers["X-Jober-Delivery"] for got in receiver.got}) == 1
    assert len(receiver.got) == (2 if point == "leader.sent" else 1)


def _sent(fleet: Fleet) -> list[str]:
    return [event.id for event in fleet.jober.recent_events() if event.type == "notice.sent"]


def test_missed_fires_are_told_with_their_reason(fleet: Fleet) -> None:
    fleet.agent("alpha")
    fleet.scheduler()
    with Receiver() as receiver:
        notify = [{"on": ["missed"], "webhook": receiver.url}]
        fleet.jober.add_job("lonely", command="true", every=1, roles=["nowhere"], notify=notify)
        fleet.jober.add_job("late", command="true", expires=0.1, roles=["nowhere"], notify=notify)
        fleet.jober.run("late")
        wait_until(lambda: {json.loads(got.body)["job"] for got in receiver.got} > {"lonely"}, 60)
    told = {json.loads(got.body)["job"]: json.loads(got.body) for got in receiver.got}
    assert told["lonely"]["reason"] == "no live host for role nowhere"
    assert "fire_at" in told["lonely"]
    assert told["late"]["reason"].startswith("it was not started by")


def test_a_run_that_takes_longer_than_usual_is_told(fleet: Fleet) -> None:
    fleet.agent("alpha")
    fleet.scheduler()
    with Receiver() as receiver:
        notify = [{"on": ["slow"], "webhook": receiver.url, "over": 3}]
        fleet.jober.add_job("job", command="sleep", notify=notify)
        for _ in range(5):
            ran(fleet, "job", "0")
        slow = ran(fleet, "job", "3")
        wait_until(lambda: receiver.got, 60)
        told = json.loads(receiver.got[0].body)
    assert (told["about"], told["run"], told["state"]) == ("slow", slow, "success")
    assert float(told["duration"]) >= 3 > float(told["usual"])


def test_a_mail_is_sent_by_the_server_of_the_scheduler_and_tried_again(fleet: Fleet) -> None:
    mails = Mails(refused=1)
    port = free_port()
    controller = Controller(mails, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        url = f"smtp://127.0.0.1:{port}/?from=jober@example.org"
        fleet.agent("alpha")
        fleet.scheduler(environ={**FAST, "JOBER_SMTP_URL": url})
        fleet.jober.add_job(
            "job",
            command="echo; exit 3",
            shell=True,
            notify=[
                {
                    "on": ["failure"],
                    "mail": ["ops@example.org", "dev@example.org"],
                    "subject": "$job: $state\nBcc: x@example.org",
                    "text": "Run $run: $reason",
                }
            ],
        )
        run = ran(fleet, "job")
        [mail] = wait_until(lambda: mails.mails, 60)
        wait_until(lambda: _sent(fleet), 60)
    finally:
        controller.stop()
    assert mails.mails == [mail]
    assert mail["To"] == "ops@example.org, dev@example.org"
    assert mail["From"] == "jober@example.org"
    assert mail["Subject"] == "job: failed Bcc: x@example.org"
    assert mail["Bcc"] is None
    assert mail["Message-ID"].endswith(".jober@example.org>")
    assert str(mail.get_payload()).strip() == f"Run {run}: exit code 3"
