"""Mutations of what becomes of reserved runs, in scripts and in the agent, and of batches."""

from tests.mutants.mutation import Mutation

_LUA = "common/jober/store/lua"
_WORKER = "worker/jober_worker"
_TESTS = "tests/store/test_reserving.py"

RESERVED = (
    Mutation(
        name="CLAIM: reserves what may not run twice",
        promise="ends",
        file=f"{_LUA}/claim.lua",
        old="      may_wait_here = want.may_wait_here\n",
        new="      may_wait_here = true\n",
        test=f"{_TESTS}::test_what_may_not_run_twice_or_needs_more_waits_until_a_slot_is_free",
    ),
    Mutation(
        name="CLAIM: reserves what kills its agents again and again",
        promise="poison",
        file=f"{_LUA}/claim.lua",
        old="    local may_wait_here = attempt == 1 and ahead > 0\n",
        new="    local may_wait_here = ahead > 0\n",
        test=f"{_TESTS}::test_what_was_taken_before_is_not_reserved",
    ),
    Mutation(
        name="CLAIM: reserves an RQ job that RQ would not try again",
        promise="rq",
        file=f"{_LUA}/claim.lua",
        old="(tonumber(redis.call('HGET', record, 'retries_left') or '') or 0) > 0",
        new="true",
        test=f"{_TESTS}::test_an_application_s_own_rq_job_is_not_reserved",
    ),
    Mutation(
        name="BEGIN: tells what is another's",
        promise="once",
        file=f"{_LUA}/begin.lua",
        old=" and run[2] == tostring(attempt) and run[5] == ARGV[1] then\n",
        new=" and run[2] == tostring(attempt) then\n",
        test=f"{_TESTS}::test_only_who_has_reserved_a_run_tells_that_it_has_begun",
    ),
    Mutation(
        name="begin: when it is told, and not when it was",
        promise="told",
        file=f"{_LUA}/lib/begin.lua",
        old="  local at = math.min(began_ms, now)\n",
        new="  local at = now\n",
        test=f"{_TESTS}::test_one_that_goes_on_is_told_to_run",
    ),
    Mutation(
        name="GIVE_BACK: what has begun",
        promise="ends",
        file=f"{_LUA}/give_back.lua",
        old="  if run[1] == 'reserved' and run[2] == attempt and run[3] == agent then\n",
        new="  if run[2] == attempt and run[3] == agent then\n",
        test=f"{_TESTS}::test_what_has_begun_or_is_another_s_cannot_be_given_back",
    ),
    Mutation(
        name="GIVE_BACK: the attempt counts",
        promise="retries",
        file=f"{_LUA}/give_back.lua",
        old="'queued', 'attempt', attempt - 1)",
        new="'queued')",
        test=f"{_TESTS}::test_what_is_given_back_is_in_front_of_its_queue_as_before",
    ),
    Mutation(
        name="GIVE_BACK: behind all others",
        promise="order",
        file=f"{_LUA}/give_back.lua",
        old="redis.call('LPUSH', 'rq:queue:'",
        new="redis.call('RPUSH', 'rq:queue:'",
        test=f"{_TESTS}::test_what_is_given_back_is_in_front_of_its_queue_as_before",
    ),
    Mutation(
        name="GIVE_BACK: it never expires after that",
        promise="expiry",
        file=f"{_LUA}/give_back.lua",
        old="      if run[10] then redis.call('ZADD', 'jober:expiring', run[10], id) end\n",
        new="",
        test=f"{_TESTS}::test_what_is_given_back_is_missed_when_its_time_is_over",
    ),
    Mutation(
        name="GIVE_BACK: what is to be stopped waits again",
        promise="cancel",
        file=f"{_LUA}/give_back.lua",
        old="    if run[9] then\n",
        new="    if false then\n",
        test=f"{_TESTS}::test_what_is_to_be_stopped_does_not_wait_again",
    ),
    Mutation(
        name="RECLAIM: a reserved run that is to be stopped waits again",
        promise="cancel",
        file=f"{_LUA}/reclaim.lua",
        old="  if run[1] == 'reserved' and run[2] == attempt and run[4] then\n",
        new="  if false then\n",
        test=f"{_TESTS}::test_what_is_to_be_stopped_does_not_wait_again",
    ),
    Mutation(
        name="RECLAIM: another has the same attempt of a reserved run",
        promise="ends",
        file=f"{_LUA}/reclaim.lua",
        old="    redis.call('HSET', 'rq:job:' .. id, 'state', 'queued', 'status', 'queued')\n",
        new="    redis.call('HSET', 'rq:job:' .. id, 'state', 'queued', 'status', 'queued',\n"
        "      'attempt', attempt - 1)\n",
        test=f"{_TESTS}::test_what_a_dead_agent_had_reserved_goes_back_to_its_queue",
    ),
    Mutation(
        name="FINISH: forgets when a reserved run began",
        promise="told",
        file=f"{_LUA}/finish.lua",
        old="    ended.plain, ended.began_ms = true, state == 'reserved' and began_ms\n",
        new="    ended.plain, ended.began_ms = true, false\n",
        test=f"{_TESTS}::test_one_that_ends_soon_is_told_to_have_begun_with_its_end",
    ),
    Mutation(
        name="gather: drops a command",
        promise="limits",
        file=f"{_LUA}/lib/gather.lua",
        old="    order[#order + 1] = { command, key, list }\n",
        new="    order[1] = order[1] or { command, key, list }\n",
        test="tests/store/test_leases.py::test_a_finished_run_lets_go_of_everything_it_held",
    ),
    Mutation(
        name="agent: begins a reserved run that it has given back",
        promise="once",
        file=f"{_WORKER}/runners.py",
        old="            self._waiting.extend(one for one in taken if not one.claim.reserved)\n",
        new="            self._waiting.extend(taken)\n",
        test="tests/worker/test_runners.py::test_what_is_taken_back_is_reserved_and_is_never_begun",
    ),
    Mutation(
        name="agent: keeps what it has reserved when it drains",
        promise="ends",
        file=f"{_WORKER}/agent.py",
        old="        self.fetcher.stop(2.0)\n        self._give_back()\n",
        new="        self.fetcher.stop(2.0)\n",
        test="tests/worker/test_reserving.py"
        "::test_what_an_agent_has_reserved_goes_on_elsewhere_when_it_drains",
    ),
    Mutation(
        name="agent: what it has reserved waits there however long",
        promise="order",
        file=f"{_WORKER}/reserve.py",
        old=" and now_s() - oldest_s >= WAIT_S:",
        new=" and False:",
        test="tests/worker/test_reserving.py"
        "::test_runs_that_take_long_are_not_kept_waiting_where_another_agent_has_free_slots",
    ),
    Mutation(
        name="ahead: never shrinks",
        promise="order",
        file=f"{_WORKER}/ahead.py",
        old="        share = SLOW if seconds > self._mean_s else QUICK\n",
        new="        share = 0 if seconds > self._mean_s else QUICK\n",
        test="tests/worker/test_ahead.py::test_one_that_takes_long_ends_it_at_once",
    ),
    Mutation(
        name="slots: what waits for one counts for nothing",
        promise="order",
        file=f"{_WORKER}/slots.py",
        old="max(0, ahead - max(0, held - self.slots))",
        new="ahead",
        test="tests/worker/test_slots.py::test_reserved_runs_are_held_beyond_the_slots",
    ),
    Mutation(
        name="plan: runs share what they may change",
        promise="input",
        file=f"{_WORKER}/plan.py",
        old="    return not any(isinstance(value, list | dict) for value in values)\n",
        new="    return bool(values) or True\n",
        test="tests/worker/test_plan.py"
        "::test_arguments_that_a_function_may_change_are_those_of_one_run",
    ),
)
