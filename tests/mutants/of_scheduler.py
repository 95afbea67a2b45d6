"""Mutations of the scheduler: who leads, what is due, what is given up."""

from tests.mutants.mutation import Mutation

_SCHEDULER = "scheduler/jober_scheduler"

SCHEDULER = (
    Mutation(
        name="elector: trusts its lease for ever",
        promise="fires",
        file=f"{_SCHEDULER}/elector.py",
        old="            if self._store.clock.monotonic() < self._trusted_until:\n",
        new="            if True:\n",
        test="tests/scheduler/test_parts.py"
        "::test_a_leader_that_cannot_renew_trusts_its_lease_no_longer_than_it_lasts",
    ),
    Mutation(
        name="elector: does not resign",
        promise="fires",
        file=f"{_SCHEDULER}/elector.py",
        old="                self._store.leader.resign(token)\n",
        new="",
        test="tests/scheduler/test_parts.py"
        "::test_one_of_two_leads_and_the_other_takes_over_when_it_resigns",
    ),
    Mutation(
        name="elector: leads on when the lead went to another",
        promise="fires",
        file=f"{_SCHEDULER}/elector.py",
        old="        if not reply.is_of(self._node):\n            if self._step_down():\n",
        new="        if not reply.is_of(self._node):\n            if self._token:\n",
        test="tests/scheduler/test_parts.py::test_a_leader_whose_lease_went_to_another_steps_down",
    ),
    Mutation(
        name="planner: from now, and not from the cursor",
        promise="fires",
        file=f"{_SCHEDULER}/planner.py",
        old="        after = max(self._cursor, job.floor_ms)\n",
        new="        after = max(self._now_ms - 1, job.floor_ms)\n",
        test="tests/scheduler/test_planner.py"
        "::test_what_fell_due_during_a_change_of_leaders_all_runs",
    ),
    Mutation(
        name="planner: a changed schedule fires the past",
        promise="fires",
        file=f"{_SCHEDULER}/planner.py",
        old="        after = max(self._cursor, job.floor_ms)\n",
        new="        after = self._cursor\n",
        test="tests/scheduler/test_planner.py::test_a_changed_schedule_does_not_fire_for_the_past",
    ),
    Mutation(
        name="planner: missed fires are told to nobody",
        promise="fires",
        file=f"{_SCHEDULER}/planner.py",
        old="            self._miss(first, last, count, why)\n",
        new="            pass\n",
        test="tests/scheduler/test_planner.py"
        "::test_by_default_only_the_newest_of_the_missed_fires_runs",
    ),
    Mutation(
        name="planner: catches up all that there is",
        promise="fires",
        file=f"{_SCHEDULER}/planner.py",
        old="        if due is not None and due <= late_until:\n",
        new="        if False:\n",
        test="tests/scheduler/test_planner.py"
        "::test_by_default_only_the_newest_of_the_missed_fires_runs",
    ),
    Mutation(
        name="planner: a fire without a host is told to nobody",
        promise="fires",
        file=f"{_SCHEDULER}/planner.py",
        old='self._miss(due, told, count, f"no live host for role {self._policy.roles}")',
        new="",
        test="tests/scheduler/test_planner.py"
        "::test_a_fire_with_no_host_waits_a_little_and_is_then_told_as_missed",
    ),
    Mutation(
        name="ticker: one broken definition stops all others",
        promise="input",
        file=f"{_SCHEDULER}/ticker.py",
        old="        except Exception as error:\n"
        "            # Whatever is wrong with one job must not",
        new="        except ZeroDivisionError as error:\n"
        "            # Whatever is wrong with one job must not",
        test="tests/scheduler/test_parts.py"
        "::test_a_definition_that_cannot_be_read_stops_no_other_job",
    ),
    Mutation(
        name="reaper: does not wait a full lease after a restart of Redis",
        promise="ends",
        file=f"{_SCHEDULER}/reaper.py",
        old="        if now < self._hold_until:\n",
        new="        if False:\n",
        test="tests/scheduler/test_parts.py"
        "::test_runs_of_a_silent_agent_are_lost_but_only_after_a_full_lease_of_this_redis",
    ),
    Mutation(
        name="reaper: does not see that Redis is another by now",
        promise="ends",
        file=f"{_SCHEDULER}/reaper.py",
        old="        if (server, clock) != self._server:\n",
        new="        if not self._server[0] or clock != self._server[1]:\n",
        test="tests/scheduler/test_parts.py"
        "::test_after_a_restart_of_redis_leases_are_good_for_one_full_lease_more",
    ),
    Mutation(
        name="reaper: does not see that the clock of Redis was set",
        promise="ends",
        file=f"{_SCHEDULER}/reaper.py",
        old="        if (server, clock) != self._server:\n",
        new="        if server != self._server[0]:\n",
        test="tests/scheduler/test_settling.py"
        "::test_after_the_clock_of_redis_was_set_leases_are_good_for_one_full_lease_more",
    ),
    Mutation(
        name="reaper: runs that wait though a slot is free wait on",
        promise="order",
        file=f"{_SCHEDULER}/reaper.py",
        old="        self._unpark()\n        for agent",
        new="        for agent",
        test="tests/scheduler/test_parts.py::test_a_run_that_waits_though_a_slot_is_free_is_found",
    ),
    Mutation(
        name="chore: ends with its first failure",
        promise="outage",
        file=f"{_SCHEDULER}/chore.py",
        old="            except Exception:\n",
        new="            except ZeroDivisionError:\n",
        test="tests/scheduler/test_chore.py"
        "::test_a_chore_goes_on_though_its_look_fails_or_redis_is_away",
    ),
    Mutation(
        name="services: the run of a silent host is given up before its lease is over",
        promise="services",
        file=f"{_SCHEDULER}/services.py",
        old='        if running and run.host not in self._fleet.live:\n            return ""\n',
        new="",
        test="tests/scheduler/test_services.py"
        "::test_a_run_on_a_host_that_takes_none_is_stopped_and_that_of_a_silent_one_is_not",
    ),
    Mutation(
        name="services: started anew without a delay",
        promise="services",
        file=f"{_SCHEDULER}/services.py",
        old="            delay_ms = 0 if gone else self._policy.restart_in_ms(failures)\n",
        new="            delay_ms = 0\n",
        test="tests/scheduler/test_services.py"
        "::test_the_delay_doubles_with_each_end_up_to_its_bound_and_begins_anew_after_health",
    ),
    Mutation(
        name="services: of a changed `on`, new runs begin before the old have ended",
        promise="services",
        file=f"{_SCHEDULER}/services.py",
        old='        if not any((name == ANY) != (self._policy.on == "any") for name in known):\n',
        new="        if True:\n",
        test="tests/scheduler/test_services.py"
        "::test_where_on_is_changed_the_old_runs_end_before_new_ones_begin",
    ),
)
