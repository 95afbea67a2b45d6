"""Mutations of the worker: what runs there, ends there, and is told from there."""

from tests.mutants.mutation import Change, Mutation

_WORKER = "worker/jober_worker"

WORKER = (
    Mutation(
        name="guardian: nothing is killed when the agent dies",
        promise="processes",
        file=f"{_WORKER}/guardian.py",
        old="            self._kill_all_below()\n",
        new="",
        test="tests/worker/test_guardian.py"
        "::test_when_an_agent_that_drains_is_killed_its_runs_are_gone_before_the_guardian",
    ),
    Mutation(
        name="guardian: is no subreaper",
        promise="processes",
        file=f"{_WORKER}/guardian.py",
        old="        adopt_orphans()\n",
        new="",
        test="tests/worker/test_orphans.py"
        "::test_whatever_a_program_and_a_warm_function_fork_is_gone_whatever_ends",
    ),
    Mutation(
        name="guardian: dies and nobody hears of it (PDEATHSIG)",
        promise="processes",
        file=f"{_WORKER}/guardian.py",
        old="            tell_when_parent_dies(PARENT_DIED)\n",
        new="",
        also=(
            # The pipe that nobody reads any more would tell it, within a second.
            Change(file=f"{_WORKER}/serve.py", old="            words.tell(PARENT_DIED)\n", new=""),
        ),
        test="tests/worker/test_guardian.py"
        "::test_when_the_guardian_is_killed_the_agent_and_all_its_runs_are_gone_at_once",
    ),
    Mutation(
        name="guardian: lets an agent that hangs be",
        promise="processes",
        file=f"{_WORKER}/guardian.py",
        old="            if not ready and time.monotonic() >= silent_at:\n",
        new="            if False:\n",
        test="tests/worker/test_guardian.py"
        "::test_a_paused_agent_is_killed_before_its_leases_are_over",
    ),
    Mutation(
        name="guardian: an agent that dies has no successor",
        promise="ends",
        file=f"{_WORKER}/guardian.py",
        old="            if self._stopping or status == 0:\n                return",
        new="            if True:\n                return",
        test="tests/worker/test_guardian.py"
        "::test_when_the_agent_is_killed_its_runs_are_gone_in_a_second_and_another_joins",
    ),
    Mutation(
        name="agent: is no subreaper",
        promise="processes",
        file=f"{_WORKER}/serve.py",
        old="    adopt_orphans()\n",
        new="",
        test="tests/worker/test_orphans.py"
        "::test_nothing_that_a_run_has_started_is_left_soon_after_it",
    ),
    Mutation(
        name="function: its process is no subreaper",
        promise="processes",
        file=f"{_WORKER}/child.py",
        old="    adopt_orphans()\n",
        new="",
        test="tests/worker/test_warm.py::test_what_a_run_leaves_behind_is_gone_when_it_is_over",
    ),
    Mutation(
        name="agent: goes on with a part that has died",
        promise="ends",
        file=f"{_WORKER}/part.py",
        old="                self.is_dead = True\n",
        new="",
        test="tests/worker/test_part.py::test_an_agent_with_a_dead_part_is_replaced",
    ),
    Mutation(
        name="sweeper: kills nothing",
        promise="processes",
        file=f"{_WORKER}/sweeper.py",
        old="send({process.pid, *below([process.pid], processes)}, signal.SIGKILL)",
        new="",
        test="tests/worker/test_orphans.py"
        "::test_nothing_that_a_run_has_started_is_left_soon_after_it",
    ),
    Mutation(
        name="program: is not killed after its grace",
        promise="cancel",
        file=f"{_WORKER}/following.py",
        old="            send(self._members(), signal.SIGKILL)\n            self._kill_at",
        new="            self._kill_at",
        test="tests/worker/test_stopping.py"
        "::test_what_ignores_term_is_gone_within_its_grace_and_two_seconds",
    ),
    Mutation(
        name="program: no timeout",
        promise="ends",
        file=f"{_WORKER}/following.py",
        old="        if self._timeout_at is not None and now >= self._timeout_at:\n",
        new="        if False:\n",
        test="tests/worker/test_process.py::test_a_program_is_stopped_after_its_timeout",
    ),
    Mutation(
        name="agent: a lost attempt goes on",
        promise="ends",
        file=f"{_WORKER}/renewer.py",
        old="            agent.held.give_up(lease)\n",
        new="            pass\n",
        test="tests/worker/test_reports.py"
        "::test_a_run_that_was_given_up_is_stopped_and_stays_lost_and_frees_its_slot",
    ),
    Mutation(
        name="agent: a cancel that was not heard is not heard later either",
        promise="cancel",
        file=f"{_WORKER}/renewer.py",
        old="            agent.held.stop_lease(lease, reason)\n",
        new="            pass\n",
        test="tests/worker/test_reports.py"
        "::test_a_run_that_is_cancelled_behind_the_back_of_its_agent_is_stopped",
    ),
    Mutation(
        name="agent: that Redis has forgotten does not join again",
        promise="outage",
        file=f"{_WORKER}/renewer.py",
        old="            agent.obey(agent.store.agents.join(info, agent.queues()))\n",
        new="            pass\n",
        test="tests/worker/test_reports.py"
        "::test_an_agent_that_redis_has_forgotten_joins_again_and_goes_on",
    ),
    Mutation(
        name="reporter: however many ends wait, more runs begin",
        promise="bounded",
        file=f"{_WORKER}/reporter.py",
        old="        self.rush.end()\n        self._caught_up.clear()\n",
        new="        return True\n",
        test="tests/worker/test_reports.py"
        "::test_where_too_many_results_wait_to_be_told_they_are_waited_for",
    ),
    Mutation(
        name="reporter: what Redis does not take is dropped",
        promise="outage",
        file=f"{_WORKER}/reporter.py",
        old="                return list(batch)\n            if",
        new="                return []\n            if",
        test="tests/worker/test_reports.py"
        "::test_many_results_are_told_once_though_redis_goes_away_in_the_middle",
    ),
    Mutation(
        name="journal: is skipped",
        promise="journal",
        file=f"{_WORKER}/journal.py",
        old="self._noted[finish.claim.lease] = _Noted(finish, output, time.monotonic())",
        new="",
        test="tests/worker/test_journal.py"
        "::test_what_ended_while_redis_was_away_is_reported_though_the_agent_was_killed",
    ),
    Mutation(
        name="journal: nobody reads what others have left",
        promise="journal",
        file=f"{_WORKER}/replayer.py",
        old="            done, refused = self._report(ours[start : start + BATCH])\n",
        new="            done, refused = 0, 0\n",
        test="tests/worker/test_journal.py"
        "::test_what_ended_while_redis_was_away_is_reported_though_the_agent_was_killed",
    ),
    Mutation(
        name="journal: that of another fleet is reported here",
        promise="journal",
        file=f"{_WORKER}/replayer.py",
        old="if entry.redis == shown(self._store.url)]",
        new="]",
        test="tests/worker/test_journal.py"
        "::test_the_journal_of_another_fleet_is_left_to_that_fleet",
    ),
    Mutation(
        name="journal: a full disk is told to nobody",
        promise="journal",
        file=f"{_WORKER}/renewer.py",
        old="            problem=agent.journal.problem,\n",
        new='            problem="",\n',
        test="tests/worker/test_journal.py"
        "::test_a_full_disk_costs_no_result_while_the_agent_lives_and_is_told_once_and_loudly",
    ),
    Mutation(
        name="journal: a torn record is read as a whole one",
        promise="journal",
        file=f"{_WORKER}/journal_file.py",
        old=" or zlib.crc32(record) != crc:",
        new=":",
        test="tests/worker/test_journal_file.py"
        "::test_a_record_that_the_disk_has_changed_is_none_and_ends_the_file",
    ),
    Mutation(
        name="vigil: off",
        promise="services",
        file=f"{_WORKER}/vigil.py",
        old="            if silent_s < ASK_S:\n",
        new="            if True:\n",
        test="tests/e2e/test_services.py"
        "::test_an_agent_that_cannot_reach_redis_lets_go_of_what_may_run_elsewhere",
    ),
    Mutation(
        name="output: the end is told before the output",
        promise="output",
        file=f"{_WORKER}/agent.py",
        old="        output.close(lambda: self.reporter.put([replace(finish,"
        " last_seq=output.last_seq)]))\n",
        new="        output.close(lambda: None)\n"
        "        self.reporter.put([replace(finish, last_seq=output.last_seq)])\n",
        test="tests/worker/test_reports.py::test_the_end_of_a_run_is_told_after_all_that_it_has_written",
    ),
    Mutation(
        name="output: what Redis did not take is not sent again",
        promise="output",
        file=f"{_WORKER}/pump.py",
        old="            if not isinstance(error, RedisRefused):\n                return taken\n",
        new="            if not isinstance(error, RedisRefused):\n                return []\n",
        test="tests/worker/test_reports.py"
        "::test_runs_that_end_while_redis_is_away_have_their_true_outcome_once_it_is_back",
    ),
    Mutation(
        name="output: Redis keeps all of it",
        promise="bounded",
        file=f"{_WORKER}/run_output.py",
        old="        while self._kept_cost > TAIL_BYTES:\n",
        new="        while False:\n",
        test="tests/worker/test_pump.py::test_redis_keeps_no_more_though_it_keeps_up_with_the_writer",
    ),
    Mutation(
        name="secrets: are not masked in what a run writes",
        promise="secrets",
        file=f"{_WORKER}/recording.py",
        old="            if self._masked:\n                self._masked.write(stream, data)\n",
        new="            if False:\n                pass\n",
        test="tests/worker/test_whole_logs.py"
        "::test_secrets_are_masked_in_redis_in_the_file_and_in_how_the_run_ended",
    ),
    Mutation(
        name="secrets: are not masked in how a run ended",
        promise="secrets",
        file=f"{_WORKER}/execution.py",
        old="            outcome = self._recording.masking.outcome(outcome)\n",
        new="",
        test="tests/worker/test_whole_logs.py"
        "::test_secrets_are_masked_in_redis_in_the_file_and_in_how_the_run_ended",
    ),
    Mutation(
        name="secrets: one that is written in pieces is shown",
        promise="secrets",
        file=f"{_WORKER}/masking.py",
        old="        held = self._held_from(data, 0)\n",
        new="        held = len(data)\n",
        test="tests/worker/test_masking.py::test_each_stream_is_masked_for_itself",
    ),
    Mutation(
        name="hosts: a pickle is read by everyone",
        promise="hosts",
        file=f"{_WORKER}/call.py",
        old="    if claim.record and rq.accept_pickle and not _is_json(plain):\n",
        new="    if claim.record and not _is_json(plain):\n",
        test="tests/worker/test_rq.py::test_a_pickled_rq_job_is_refused_with_the_reason",
    ),
    Mutation(
        name="hosts: the list of what a host runs is read by nobody",
        promise="hosts",
        file=f"{_WORKER}/gate.py",
        old="        if reason := self._allow.refusal(wanted):\n",
        new="        if reason := None:\n",
        test="tests/worker/test_gate.py::test_what_the_file_of_the_host_does_not_allow_is_not_run_and_told",
    ),
)
