"""Mutations of how runs are deleted, and of what is called then."""

from tests.mutants.mutation import Mutation

_LUA = "common/jober/store/lua"
_STORE = "tests/store/test_cleanup.py"
_WORKER = "tests/worker/test_cleanup.py"

KEEPING = (
    Mutation(
        name="cleanup: a run is deleted, and nobody told",
        promise="bounded",
        file=f"{_LUA}/lib/forget.lua",
        old="    clean_up(id, text)\n",
        new="",
        test=f"{_STORE}::test_a_run_past_the_bound_is_deleted_and_another_cleans_up_after_it",
    ),
    Mutation(
        name="cleanup: the run that cleans up waits where nobody looks",
        promise="bounded",
        file=f"{_LUA}/lib/forget.lua",
        old="  announce(how.queue) --",
        new="  --",
        test=f"{_WORKER}::test_where_the_host_dies_that_cleans_up_another_does",
    ),
    Mutation(
        name="cleanup: what others have written stops the pruner",
        promise="bounded",
        file=f"{_LUA}/lib/forget.lua",
        old="    if type(how[name]) ~= 'string' then return nil end\n",
        new="",
        test=f"{_STORE}::test_what_others_have_deleted_or_written_stops_nobody",
    ),
    Mutation(
        name="cleanup: the job is asked when the run is deleted",
        promise="bounded",
        file=f"{_LUA}/lib/run.lua",
        old="then note_cleanup(id, job[CLEANUP]) end",
        new="then redis.call('ZADD', 'jober:cleaning', '+inf', id) end",
        test=f"{_STORE}::test_it_is_done_for_a_job_that_is_gone_as_its_run_was_made",
    ),
    Mutation(
        name="cleanup: Redis forgets a run by itself",
        promise="bounded",
        file=f"{_LUA}/lib/cleaning.lua",
        old="    ttl = ttl + LEFT_S\n",
        new="",
        test=f"{_STORE}::test_a_run_whose_time_is_over_is_deleted_by_the_leader_and_not_by_redis",
    ),
    Mutation(
        name="LAPSE: what others need",
        promise="workflows",
        file=f"{_LUA}/lapse.lua",
        old=" or redis.call('HEXISTS', 'jober:needed', id) == 1 then",
        new=" then",
        test=f"{_STORE}::test_a_run_that_another_needs_stays_until_that_needs_it_no_more",
    ),
    Mutation(
        name="RESTORE_RUNS: what others come after is kept no longer than the rest",
        promise="backups",
        file=f"{_LUA}/restore_runs.lua",
        old="    if told[3] == '1' then\n",
        new="    if false then\n",
        test="tests/store/test_backup.py"
        "::test_what_others_come_after_and_what_is_cleaned_up_after_is_kept_as_before",
    ),
    Mutation(
        name="RESTORE_RUNS: nobody cleans up after what is restored",
        promise="backups",
        file=f"{_LUA}/restore_runs.lua",
        old="    if redis.call('HEXISTS', record, 'cleanup') == 1 then\n",
        new="    if false then\n",
        test="tests/store/test_backup.py"
        "::test_what_others_come_after_and_what_is_cleaned_up_after_is_kept_as_before",
    ),
    Mutation(
        name="pruner: those that are cleaned up after stay for ever",
        promise="bounded",
        file="scheduler/jober_scheduler/pruner.py",
        old="self._store.runs.lapse(BATCH) == BATCH",
        new="False",
        test=f"{_WORKER}::test_a_function_is_called_with_what_is_known_of_the_run",
    ),
)
