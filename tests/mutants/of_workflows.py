"""Mutations of what makes runs wait for others, and start them."""

from tests.mutants.mutation import Mutation

_LUA = "common/jober/store/lua"
_PURE = "common/jober/workflow"
_STORE = "tests/store/test_workflows.py"

WORKFLOWS = (
    Mutation(
        name="ENQUEUE: some of several jobs, though one is not there",
        promise="workflows",
        file=f"{_LUA}/enqueue.lua",
        old="    if not (jobs[i] or run.queue) then return",
        new="    if false then return",
        test=f"{_STORE}::test_runs_of_several_jobs_are_made_together_or_not_at_all",
    ),
    Mutation(
        name="NEEDING: what was settled on is looked for anew",
        promise="workflows",
        file=f"{_LUA}/needing.lua",
        old="  if not ids then ids = job[1]",
        new="  if true then ids = job[1]",
        test=f"{_STORE}"
        "::test_what_it_waits_for_is_settled_on_once_and_a_later_run_is_another_one_s",
    ),
    Mutation(
        name="NEEDING: a fire that is to come is not waited for",
        promise="workflows",
        file=f"{_LUA}/needing.lua",
        old="settled and 1 or 0, due <= at and 1 or 0,",
        new="settled and 1 or 0, 0,",
        test=f"{_STORE}"
        "::test_a_fire_waits_for_the_fire_of_the_same_moment_though_that_is_decided_on_later",
    ),
    Mutation(
        name="SETTLE: what another has decided is decided again",
        promise="workflows",
        file=f"{_LUA}/settle.lua",
        old="  if run[1] ~= 'waiting' or (run[2] or '') ~= one.seen then return 'stale' end\n",
        new="",
        test=f"{_STORE}::test_what_two_schedulers_decide_is_done_once",
    ),
    Mutation(
        name="SETTLE: what is waited for may be forgotten",
        promise="workflows",
        file=f"{_LUA}/settle.lua",
        old="    if not before[one] then hold(one) end\n",
        new="",
        test=f"{_STORE}::test_a_run_that_another_waits_for_outlives_all_that_would_forget_it",
    ),
    Mutation(
        name="ENDED: starts what is for a success after a failure",
        promise="workflows",
        file=f"{_LUA}/ended.lua",
        old="'on_success', 'on_failure')",
        new="'on_success', 'on_success')",
        test="tests/store/test_started.py::test_the_end_of_a_run_starts_the_jobs_that_are_for_such_an_end_once",
    ),
    Mutation(
        name="FOLLOW: each look follows an end again",
        promise="workflows",
        file=f"{_LUA}/follow.lua",
        old=" and redis.call('ZREM', KEYS[1], id) == 1 then",
        new=" then",
        test="tests/store/test_started.py::test_an_end_is_followed_once_however_often_it_is_sent",
    ),
    Mutation(
        name="FOLLOW: an end that is another by now",
        promise="workflows",
        file=f"{_LUA}/follow.lua",
        old="  if (redis.call('HGET', 'rq:job:' .. id, 'state') or '') == state and",
        new="  if",
        test="tests/store/test_started.py::test_an_end_that_is_another_by_the_time_it_is_followed_is_looked_at_anew",
    ),
    Mutation(
        name="STANDING: what has failed is up to date",
        promise="workflows",
        file=f"{_LUA}/standing.lua",
        old="      failed = 1\n",
        new="      failed = 0\n",
        test="tests/client/test_building.py"
        "::test_with_needs_runs_what_is_missing_or_outdated_and_nothing_else",
    ),
    Mutation(
        name="PRUNE: what others wait for",
        promise="workflows",
        file=f"{_LUA}/prune.lua",
        old=" or removed < over and redis.call('HEXISTS', 'jober:needed', id) == 1 then",
        new=" then",
        test=f"{_STORE}::test_a_run_that_another_waits_for_outlives_all_that_would_forget_it",
    ),
    Mutation(
        name="needing: what waits no more is still looked for",
        promise="workflows",
        file=f"{_LUA}/lib/needing.lua",
        old="  each_settled(run[2], let_go, ttl)\n",
        new="",
        test=f"{_STORE}::test_a_waiting_run_that_is_withdrawn_leaves_nothing_behind",
    ),
    Mutation(
        name="upstream: an end is noted nowhere",
        promise="workflows",
        file=f"{_LUA}/lib/upstream.lua",
        old="  redis.call('ZADD', 'jober:ended', string.format('%.0f', now), id)\n",
        new="",
        test=f"{_STORE}::test_a_run_waits_for_the_success_of_the_newest_needed_runs",
    ),
    Mutation(
        name="newest: one host stands for all of them",
        promise="workflows",
        file=f"{_LUA}/lib/newest.lua",
        old="      if not several then return { ids[i] } end\n",
        new="      if true then return { ids[i] } end\n",
        test=f"{_STORE}::test_a_run_after_a_job_on_every_host_waits_for_all_of_them",
    ),
    Mutation(
        name="newest: a later fire is good enough",
        promise="workflows",
        file=f"{_LUA}/lib/newest.lua",
        old=" and not (at and run[3] and run[3] > at) then",
        new=" then",
        test=f"{_STORE}"
        "::test_a_fire_that_is_looked_at_late_waits_for_the_fire_of_its_own_moment_and_no_later_one",
    ),
    Mutation(
        name="links: a loop is written",
        promise="workflows",
        file=f"{_LUA}/lib/links.lua",
        old="      if loop then return { 'loop', unpack(loop) } end\n",
        new="",
        test="tests/store/test_links.py::test_a_loop_is_refused_and_named_and_nothing_is_written",
    ),
    Mutation(
        name="decide: any end of a needed run is good enough",
        promise="workflows",
        file=f"{_PURE}/decide.py",
        old="    good = sum(run.is_good for run in runs)\n",
        new="    good = sum(run.is_over for run in runs)\n",
        test=f"{_STORE}"
        "::test_a_run_whose_needed_run_failed_is_skipped_and_names_it_and_so_are_those_after_it",
    ),
    Mutation(
        name="build: what is outdated is left as it is",
        promise="workflows",
        file=f"{_PURE}/build.py",
        old="            or (state(other).succeeded_at_ms or 0) > now.succeeded_at_ms\n",
        new="",
        test="tests/client/test_building.py"
        "::test_with_needs_runs_what_is_missing_or_outdated_and_nothing_else",
    ),
)
