"""Mutations of the shared rooms, but for scripts and schedules."""

from tests.mutants.mutation import Mutation

_STORE = "common/jober/store"

STORE = (
    Mutation(
        name="follower: shows what it has shown",
        promise="output",
        file=f"{_STORE}/outputs.py",
        old="            if frame.seq <= self._seq:\n                continue\n",
        new="",
        test="tests/store/test_outputs.py"
        "::test_a_follower_that_missed_messages_reads_them_from_the_log",
    ),
    Mutation(
        name="follower: does not look again where something is missing",
        promise="output",
        file=f"{_STORE}/outputs.py",
        old="        if frame.seq > self._seq + 1:\n",
        new="        if False:\n",
        test="tests/store/test_outputs.py"
        "::test_a_follower_that_missed_messages_reads_them_from_the_log",
    ),
    Mutation(
        name="follower: no mark where the cap cut",
        promise="output",
        file=f"{_STORE}/outputs.py",
        old="            if self._offset is not None and frame.offset > self._offset:\n",
        new="            if False:\n",
        test="tests/store/test_outputs.py::test_what_the_cap_cut_is_told_with_its_size",
    ),
    Mutation(
        name="scripts: one that Redis has forgotten is not loaded again",
        promise="outage",
        file=f"{_STORE}/connection.py",
        old="            except NoScriptError:\n",
        new="            except ZeroDivisionError:\n",
        test="tests/store/test_connection.py"
        "::test_a_script_that_redis_has_forgotten_is_loaded_again",
    ),
    Mutation(
        name="failover: what no replica has confirmed counts as done",
        promise="outage",
        file=f"{_STORE}/connection.py",
        old="        if confirmed < self._replicas:\n",
        new="        if False:\n",
        test="tests/faults/test_failover.py::test_what_no_replica_has_confirmed_has_not_been_done",
    ),
    Mutation(
        name="failover: a primary that became a replica is kept",
        promise="outage",
        file=f"{_STORE}/connection.py",
        old="            if any(word in str(error) for word in _DEMOTED):\n"
        "                self._connect_anew()\n",
        new="",
        test="tests/faults/test_failover.py::test_a_primary_that_became_a_replica_is_let_go_of",
    ),
    Mutation(
        name="RQ: cleanup may take what runs",
        promise="rq",
        file=f"{_STORE}/lua/claim.lua",
        old="  wip[count + 1], wip[count + 2] = '+inf', lease\n",
        new="  wip[count + 1], wip[count + 2] = '1', lease\n",
        test="tests/store/test_rq.py::test_rq_s_cleanup_leaves_a_run_that_goes_on_alone",
    ),
    Mutation(
        name="retries: one more than the job says",
        promise="retries",
        file="common/jober/end_policy.py",
        old="attempt > self.retries or",
        new="attempt > self.retries + 1 or",
        test="tests/worker/test_retries.py::test_a_run_has_failed_when_its_retries_are_used_up",
    ),
    Mutation(
        name="retries: the delay does not grow",
        promise="retries",
        file="common/jober/end_policy.py",
        old="(self.backoff) ** (attempt - 1)",
        new="(self.backoff) ** 0",
        test="tests/test_end_policy.py::test_the_delay_grows_up_to_its_bound",
    ),
    Mutation(
        name="exit status: any is good",
        promise="ends",
        file="common/jober/end_policy.py",
        old="        if code in self.ok_exit_codes:\n",
        new="        if True:\n",
        test="tests/test_end_policy.py::test_an_exit_status_means_what_the_job_says",
    ),
    Mutation(
        name="backup: a damaged one is restored",
        promise="backups",
        file="common/jober/backup/reader.py",
        old="        if sha256 != digest:\n",
        new="        if False:\n",
        test="tests/test_backup.py::test_one_that_was_changed_is_refused",
    ),
    Mutation(
        name="definition: an unknown field is passed over",
        promise="input",
        file="common/jober/job/definition.py",
        old="            problems.append(unknown_field(name, KNOWN_FIELDS))\n",
        new="            pass\n",
        test="tests/test_job.py::test_all_that_is_wrong_with_a_job_is_told_at_once",
    ),
)
