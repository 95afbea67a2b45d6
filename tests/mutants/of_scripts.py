"""Mutations of all other scripts, by name."""

from tests.mutants.mutation import Mutation

_LUA = "common/jober/store/lua"

SCRIPTS = (
    Mutation(
        name="APPLY: what is refused is written nevertheless",
        promise="input",
        file=f"{_LUA}/apply.lua",
        old="if refused then return refused end",
        new="",
        test="tests/store/test_limits.py"
        "::test_a_job_with_a_limit_that_is_not_there_is_refused_and_nothing_is_written",
    ),
    Mutation(
        name="APPLY: a changed schedule fires the past",
        promise="fires",
        file=f"{_LUA}/apply.lua",
        old="        redis.call('HSET', key, 'floor', now_text, 'anchor',",
        new="        redis.call('HSET', key, 'anchor',",
        test="tests/store/test_jobs.py"
        "::test_an_edit_of_the_schedule_counts_from_now_and_keeps_the_anchor",
    ),
    Mutation(
        name="APPLY: a restored job fires the past",
        promise="backups",
        file=f"{_LUA}/apply.lua",
        old="  redis.call('HSET', key, 'floor', now_text, 'cursor', string.format(",
        new="  redis.call('HSET', key, 'floor', '0', 'cursor', string.format(",
        test="tests/store/test_backup.py::test_what_was_due_before_a_restore_lies_below_the_floor",
    ),
    Mutation(
        name="APPLY: an older cursor takes the place of a newer one",
        promise="backups",
        file=f"{_LUA}/apply.lua",
        old="math.max(state.cursor, tonumber(old_cursor) or 0)",
        new="state.cursor",
        test="tests/store/test_backup.py"
        "::test_a_replaced_job_gets_a_new_revision_and_never_an_older_cursor",
    ),
    Mutation(
        name="APPLY: what waits of a removed job starts without its limits",
        promise="limits",
        file=f"{_LUA}/apply.lua",
        old="        if state == 'queued' or state == 'parked' or state == 'delayed' then\n",
        new="        if false then\n",
        test="tests/store/test_jobs.py"
        "::test_what_waits_of_a_removed_job_does_not_start_without_its_limits",
    ),
    Mutation(
        name="APPLY: a protected job is removed",
        promise="input",
        file=f"{_LUA}/apply.lua",
        old="  if job[1] == '1' and not (change.force",
        new="  if false and not (change.force",
        test="tests/store/test_keeping.py"
        "::test_a_protected_job_is_neither_changed_nor_removed_but_by_force",
    ),
    Mutation(
        name="APPLY: a job is removed from under its run",
        promise="input",
        file=f"{_LUA}/apply.lua",
        old="  elseif change.unless == 'running' and not change.force then",
        new="  elseif false then",
        test="tests/store/test_keeping.py::test_a_job_is_not_removed_while_a_run_of_it_goes_on",
    ),
    Mutation(
        name="APPLY, OVER: a volatile job is removed while a run of it goes on",
        promise="bounded",
        file=f"{_LUA}/lib/over.lua",
        old="redis.call('SCARD', 'jober:active:' .. name) == 0",
        new="true",
        test="tests/store/test_keeping.py"
        "::test_a_volatile_job_without_a_schedule_is_over_after_its_first_run",
    ),
    Mutation(
        name="OVER: nothing is ever over",
        promise="bounded",
        file=f"{_LUA}/over.lua",
        old="if is_over(name, KEYS[2], KEYS[3]) then",
        new="if false then",
        test="tests/store/test_keeping.py"
        "::test_a_volatile_job_without_a_schedule_is_over_after_its_first_run",
    ),
    Mutation(
        name="CANCEL: only the first",
        promise="cancel",
        file=f"{_LUA}/cancel.lua",
        old="for i = 4, #ARGV do",
        new="for i = 4, math.min(4, #ARGV) do",
        test="tests/worker/test_stopping.py"
        "::test_all_runs_of_a_job_are_cancelled_wherever_they_are",
    ),
    Mutation(
        name="DUE: what has just been written is passed over",
        promise="fires",
        file=f"{_LUA}/due.lua",
        old="'-inf', ARGV[1]",
        new="1, ARGV[1]",
        test="tests/scheduler/test_parts.py::test_a_new_job_fires_at_once_when_its_moment_comes",
    ),
    Mutation(
        name="JOIN: an agent that comes wakes nobody",
        promise="fires",
        file=f"{_LUA}/join.lua",
        old="if is_news then\n",
        new="if false then\n",
        test="tests/store/test_agents.py::test_an_agent_that_has_joined_is_live_and_wakes_the_leader",
    ),
    Mutation(
        name="LEAD: two at once",
        promise="fires",
        file=f"{_LUA}/lead.lua",
        old="  return { token, redis.call('PTTL', KEYS[1]), now, 0 }\n",
        new="",
        test="tests/store/test_leader.py"
        "::test_the_first_to_ask_leads_and_the_others_learn_who_it_is",
    ),
    Mutation(
        name="LEAD: terms go by the clock alone",
        promise="fires",
        file=f"{_LUA}/lead.lua",
        old="math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, now)",
        new="now",
        test="tests/store/test_leader.py::test_a_clock_that_steps_back_never_lowers_the_term",
    ),
    Mutation(
        name="LEAVE: an agent that renews is struck off",
        promise="ends",
        file=f"{_LUA}/leave.lua",
        old=" or (ARGV[2] == 'lost' and tonumber(expires) > now)",
        new="",
        test="tests/store/test_agents.py::test_an_agent_that_gives_signs_of_life_is_not_struck_off",
    ),
    Mutation(
        name="MISS: what has begun is missed",
        promise="expiry",
        file=f"{_LUA}/miss.lua",
        old="  if run[1] == 'queued' or run[1] == 'parked' then\n",
        new="  if run[1] then\n",
        test="tests/store/test_attempts.py"
        "::test_a_run_that_has_begun_is_not_missed_though_it_is_still_listed",
    ),
    Mutation(
        name="ORDER: is not told to the agents",
        promise="hosts",
        file=f"{_LUA}/order.lua",
        old="    redis.call('PUBLISH', 'rq:pubsub:' .. id, cjson.encode({ command = 'orders' }))\n",
        new="",
        test="tests/store/test_agents.py::test_what_is_ordered_of_a_host_is_told_to_its_agents",
    ),
    Mutation(
        name="OUT: a frame that is sent twice is kept twice",
        promise="output",
        file=f"{_LUA}/out.lua",
        old="    if seq > last then\n      redis.call('XADD', log, string.format('%.0f-0', seq),",
        new="    if true then\n      redis.call('XADD', log, '*',",
        test="tests/store/test_outputs.py::test_frames_that_are_sent_twice_are_kept_once",
    ),
    Mutation(
        name="OUT: whatever the attempt",
        promise="output",
        file=f"{_LUA}/out.lua",
        old="  if is_over then out.frames",
        new="  if false then out.frames",
        test="tests/store/test_outputs.py::test_a_piece_of_an_attempt_that_is_over_is_passed_over",
    ),
    Mutation(
        name="PASS: to nobody",
        promise="order",
        file=f"{_LUA}/pass.lua",
        old="    ring(queue)\n",
        new="",
        test="tests/store/test_sharing.py"
        "::test_a_ring_is_passed_on_where_something_waits_that_others_serve",
    ),
    Mutation(
        name="PAUSE: a service goes on",
        promise="services",
        file=f"{_LUA}/pause.lua",
        old="  stop_service(ARGV[1], 'its job was paused', ARGV[4], now_ms(), tonumber(ARGV[3]))\n",
        new="",
        test="tests/store/test_services.py"
        "::test_pausing_and_the_end_of_the_service_stop_its_runs_with_no_leader",
    ),
    Mutation(
        name="PAUSE: a resumed job stays as it was",
        promise="fires",
        file=f"{_LUA}/pause.lua",
        old="  redis.call('ZADD', KEYS[2], 0, ARGV[1])\n",
        new="",
        test="tests/scheduler/test_parts.py::test_a_resumed_job_runs_once_for_all_that_it_missed",
    ),
    Mutation(
        name="PROGRESS: whatever the attempt",
        promise="once",
        file=f"{_LUA}/progress.lua",
        old="(run[1] == 'running' or run[1] == 'reserved') and run[2] == tostring(attempt)",
        new="run[1]",
        test="tests/store/test_runs.py::test_progress_of_an_attempt_that_is_over_is_passed_over",
    ),
    Mutation(
        name="PROMOTE: another attempt without its delay",
        promise="retries",
        file=f"{_LUA}/promote.lua",
        old="redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now,",
        new="redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '+inf',",
        test="tests/store/test_retries.py"
        "::test_a_run_that_is_tried_again_waits_holds_nothing_and_is_still_active",
    ),
    Mutation(
        name="PROMOTE: beside a scheduler of RQ's",
        promise="rq",
        file=f"{_LUA}/promote.lua",
        old="  if first and redis.call('EXISTS', 'rq:scheduler-lock:' .. queue) == 0 then\n",
        new="  if first then\n",
        test="tests/store/test_rq_jobs.py::test_a_queue_that_a_scheduler_of_rq_s_has_is_left_to_it",
    ),
    Mutation(
        name="PRUNE: runs that go on",
        promise="bounded",
        file=f"{_LUA}/prune.lua",
        old="  elseif not run[1] then\n",
        new="  elseif false then\n",
        test="tests/store/test_runs.py"
        "::test_the_oldest_ended_runs_are_forgotten_whole_and_live_ones_kept",
    ),
    Mutation(
        name="PRUNE: forgets half of a run",
        promise="bounded",
        file=f"{_LUA}/prune.lua",
        old="'rq:results:' .. id, 'jober:out:' .. id .. ':log',\n      'jober:attempts:' .. id)",
        new="'rq:results:' .. id)",
        test="tests/store/test_runs.py"
        "::test_the_oldest_ended_runs_are_forgotten_whole_and_live_ones_kept",
    ),
    Mutation(
        name="RESIGN: for another",
        promise="fires",
        file=f"{_LUA}/resign.lua",
        old="if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end",
        new="",
        test="tests/store/test_leader.py::test_nobody_resigns_for_another",
    ),
    Mutation(
        name="RESTORE_HISTORY: decisions are there twice",
        promise="backups",
        file=f"{_LUA}/restore_history.lua",
        old="  if redis.call('EXISTS', ledger) == 0 then\n",
        new="  if true then\n",
        test="tests/cli/test_backup.py::test_what_differs_is_kept_and_told_unless_it_is_replaced",
    ),
    Mutation(
        name="RESTORE_RUNS: over one that is there",
        promise="backups",
        file=f"{_LUA}/restore_runs.lua",
        old=" and redis.call('EXISTS', record) == 0 then",
        new=" then",
        test="tests/store/test_backup.py::test_a_run_that_is_there_is_left_alone_by_a_restore",
    ),
    Mutation(
        name="SERVE: no fence",
        promise="services",
        file=f"{_LUA}/serve.lua",
        old="if leader ~= ARGV[1] then return { 'fenced', leader } end",
        new="",
        test="tests/store/test_services.py"
        "::test_who_leads_no_more_and_who_saw_another_definition_does_nothing",
    ),
    Mutation(
        name="SERVE: doubles a service that has been started meanwhile",
        promise="services",
        file=f"{_LUA}/serve.lua",
        old="  if (redis.call('HGET', key, action.place) or '') ~= action.before then"
        " return 'stale' end\n",
        new="",
        test="tests/store/test_services.py::test_an_action_that_is_sent_again_does_nothing_more",
    ),
    Mutation(
        name="SERVE: starts the next before the last has ended",
        promise="services",
        file=f"{_LUA}/serve.lua",
        old="    if LIVE[redis.call('HGET', 'rq:job:' .. action.run, 'state')] then"
        " return 'stale' end\n",
        new="",
        test="tests/store/test_services.py::test_no_run_begins_while_the_one_before_goes_on",
    ),
    Mutation(
        name="SERVES: an agent stays at queues that it has left",
        promise="rq",
        file=f"{_LUA}/serves.lua",
        old="  redis.call('SREM', 'rq:workers:' .. string.sub(key, 10), KEYS[1])\n",
        new="",
        test="tests/store/test_agents.py::test_an_agent_is_listed_at_the_queues_that_it_serves_now",
    ),
    Mutation(
        name="SERVICES: a changed definition is not seen",
        promise="services",
        file=f"{_LUA}/services.lua",
        old="local same = run[4] == job[4] and",
        new="local same = true or run[4] == job[4] and",
        test="tests/store/test_services.py"
        "::test_a_run_is_as_defined_now_until_what_it_executes_changes",
    ),
    Mutation(
        name="STRAY: a run that may move waits for its host for ever",
        promise="hosts",
        file=f"{_LUA}/stray.lua",
        old="    if state == 'up' and now < tonumber(until_ms) then return end\n",
        new="    if state then return end\n",
        test="tests/store/test_placement.py"
        "::test_where_its_host_does_not_take_it_in_time_it_goes_to_any_other",
    ),
    Mutation(
        name="STRAY: a bound run of a busy host is missed",
        promise="hosts",
        file=f"{_LUA}/stray.lua",
        old="  elseif run[5] and state ~= 'up' and now",
        new="  elseif run[5] and now",
        test="tests/store/test_placement.py"
        "::test_a_bound_run_of_a_host_that_is_only_busy_goes_on_waiting",
    ),
    Mutation(
        name="UNPARK: a raised limit is not used",
        promise="order",
        file=f"{_LUA}/unpark.lua",
        old="    while free > 0 and",
        new="    while false and",
        test="tests/store/test_limits.py::test_a_raised_limit_is_used",
    ),
    Mutation(
        name="WAKE: a job that waits for a host is not planned anew",
        promise="fires",
        file=f"{_LUA}/wake.lua",
        old="then redis.call('ZADD', KEYS[2], 0, name) end",
        new="then end",
        test="tests/store/test_fires.py::test_a_job_that_was_told_as_missed_waits_for_a_host",
    ),
)
