"""Mutations of the schedules: which moments an expression means."""

from tests.mutants.mutation import Mutation

_SCHEDULE = "common/jober/schedule"

SCHEDULE = (
    Mutation(
        name="zone: a time that the clock leaves out is dropped",
        promise="schedules",
        file=f"{_SCHEDULE}/cron.py",
        old='            if start > utc and self.gap == "after" and',
        new="            if False and",
        test="tests/schedule/test_cron.py"
        "::test_a_fixed_job_in_a_gap_fires_at_the_first_instant_after_it_or_is_skipped",
    ),
    Mutation(
        name="zone: a repeated hour fires twice",
        promise="schedules",
        file=f"{_SCHEDULE}/cron.py",
        old='        if self.repeat == "both":\n            return None\n',
        new="        if True:\n            return None\n",
        test="tests/schedule/test_cron.py::test_a_job_chooses_its_pass_of_a_repeated_hour",
    ),
    Mutation(
        name="zone: of a repeated hour the other pass",
        promise="schedules",
        file=f"{_SCHEDULE}/zone.py",
        old='        return found[-1:] if repeat == "last" else found\n',
        new="        return found[:1]\n",
        test="tests/schedule/test_schedule.py"
        "::test_a_date_in_a_gap_or_a_repeated_hour_follows_the_choices",
    ),
    Mutation(
        name="cron: both day fields must match",
        promise="schedules",
        file=f"{_SCHEDULE}/cron_days.py",
        old="""        both=day_text[0] in "*?" or week_text[0] in "*?",\n""",
        new="        both=True,\n",
        test="tests/schedule/test_cron.py::test_days_must_both_match_only_if_one_begins_with_a_star",
    ),
    Mutation(
        name="cron: a fixed job fires in both passes",
        promise="schedules",
        file=f"{_SCHEDULE}/cron.py",
        old="""        repeat or ("both" if follows else "first"),\n""",
        new="""        repeat or "both",\n""",
        test="tests/schedule/test_cron.py::test_a_job_chooses_its_pass_of_a_repeated_hour",
    ),
    Mutation(
        name="every: an interval counts from the moment it is asked",
        promise="schedules",
        file=f"{_SCHEDULE}/every.py",
        old="            steps = max((moment_ms - anchor_ms) // self.step_ms + 1, 1)\n"
        "            fire = anchor_ms + steps * self.step_ms\n",
        new="            fire = moment_ms + self.step_ms\n",
        test="tests/scheduler/test_planner.py::test_an_interval_keeps_its_anchor_through_an_edit",
    ),
    Mutation(
        name="exclude: excluded days fire",
        promise="schedules",
        file=f"{_SCHEDULE}/exclusion.py",
        old="        return any(days.covers(day) for days in self.sets)\n",
        new="        return False\n",
        test="tests/cli/test_why.py::test_an_excluded_fire_is_told_with_what_excludes_it",
    ),
)
