"""Mutations of what is signed, and of who believes it."""

from tests.mutants.mutation import Mutation

_ATTACKS = "tests/signing/test_attacks.py"
_KEYS = "tests/signing/test_keys.py"

SIGNING = (
    Mutation(
        name="signing: a signature is not verified",
        promise="signed",
        file="common/jober/signing/keyring.py",
        old="        if not key.verifies(message, signature):\n",
        new="        if False:\n",
        test=f"{_KEYS}::test_what_is_signed_is_believed_and_nothing_else",
    ),
    Mutation(
        name="signing: a key that may fire defines too",
        promise="signed",
        file="common/jober/signing/keyring.py",
        old="        if not key.may(purpose):\n",
        new="        if False:\n",
        test=f"{_KEYS}::test_a_key_says_no_more_than_it_is_for",
    ),
    Mutation(
        name="signing: options are not sealed",
        promise="signed",
        file="common/jober/signing/texts.py",
        old="queue, digest(data), digest(options), rest)",
        new="queue, digest(data), rest)",
        test=f"{_KEYS}::test_what_is_signed_is_believed_and_nothing_else",
    ),
    Mutation(
        name="signing: an order is good for ever",
        promise="signed",
        file="common/jober/signing/judge.py",
        old="        if now_ms > order.until_ms + APART_MS:\n",
        new="        if False:\n",
        test=f"{_KEYS}::test_what_is_signed_is_believed_and_nothing_else",
    ),
    Mutation(
        name="signing: a host runs what is for others",
        promise="signed",
        file="common/jober/signing/judge.py",
        old='            raise NotBelieved(f"it was ordered for the host {order.host}")\n',
        new="            pass\n",
        test=f"{_ATTACKS}::test_a_run_is_not_run_on_a_host_that_it_was_not_meant_for",
    ),
    Mutation(
        name="signing: an older seal takes the place of the one that was ordered",
        promise="signed",
        file="common/jober/signing/judge.py",
        old="        if seal.at_ms < order.since_ms:\n",
        new="        if False:\n",
        test=f"{_ATTACKS}::test_an_older_definition_that_was_put_back_is_not_run",
    ),
    Mutation(
        name="signing: what was granted is not noted",
        promise="signed",
        file="worker/jober_worker/granted.py",
        old="            hour.add(number)\n",
        new="",
        test=f"{_ATTACKS}::test_a_run_that_was_once_is_not_run_again",
    ),
    Mutation(
        name="signing: what was granted is looked for in the hour of its order alone",
        promise="signed",
        file="worker/jober_worker/granted.py",
        old="                if not any(number in known for known in self._hours.values()):\n",
        new="                if number not in hour:\n",
        test="tests/worker/test_granted.py::test_a_run_that_is_ordered_anew_is_granted_no_more_often",
    ),
    Mutation(
        name="signing: what cleans up may have any id",
        promise="signed",
        file="common/jober/signing/judge.py",
        old="or not _is_cleanup(what.run, run):\n",
        new="or False:\n",
        test=f"{_ATTACKS}::test_a_cleanup_is_called_as_it_is_made_and_in_no_other_way",
    ),
    Mutation(
        name="signing: plain RQ jobs start programs",
        promise="signed",
        file="worker/jober_worker/trust.py",
        old="            if not isinstance(what, RqCall):\n",
        new="            if False:\n",
        test=f"{_ATTACKS}::test_an_rq_job_of_an_unsigned_queue_starts_no_program",
    ),
    Mutation(
        name="signing: plain RQ jobs run whatever their queue",
        promise="signed",
        file="worker/jober_worker/trust.py",
        old="            if queue not in self._unsigned:\n",
        new="            if False:\n",
        test=f"{_ATTACKS}::test_what_nobody_has_defined_is_refused",
    ),
    Mutation(
        name="signing: the leader orders by a schedule that nobody has signed",
        promise="signed",
        file="common/jober/signing/texts.py",
        old='    *("schema", "spec", "schedule", "policy", "description"',
        new='    *("schema", "spec", "policy", "description"',
        test=f"{_ATTACKS}::test_a_schedule_that_was_changed_fires_nothing_that_runs",
    ),
    Mutation(
        name="secrets: any file of the host is one",
        promise="secrets",
        file="worker/jober_worker/secrets.py",
        old="if not any(real.is_relative_to(Path(folder).resolve()) for folder in folders):",
        new="if False:",
        test="tests/worker/test_secrets.py"
        "::test_a_link_out_of_the_folder_of_secrets_is_not_followed",
    ),
)
