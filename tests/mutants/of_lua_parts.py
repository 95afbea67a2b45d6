"""Mutations of what several scripts share: lua/lib."""

from tests.mutants.mutation import Mutation

_LIB = "common/jober/store/lua/lib"

LUA_PARTS = (
    Mutation(
        name="avoid: what failed on a host is never taken there again",
        promise="retries",
        file=f"{_LIB}/avoid.lua",
        old="    if not those[agent[1]] and serves(queue, agent[2]) then return true end\n",
        new="    if true then return true end\n",
        test="tests/store/test_retries.py"
        "::test_a_host_takes_back_what_failed_there_where_no_other_would",
    ),
    Mutation(
        name="avoid: the next attempt is at once on the same host",
        promise="retries",
        file=f"{_LIB}/avoid.lua",
        old="  return bad == host and now <",
        new="  return false and now <",
        test="tests/store/test_retries.py"
        "::test_a_run_that_failed_is_left_to_another_host_for_a_while",
    ),
    Mutation(
        name="cancel: asks no agent",
        promise="cancel",
        file=f"{_LIB}/cancel.lua",
        old="    redis.call('HSET', record, 'cancel_requested', reason)\n",
        new="",
        test="tests/store/test_runs.py::test_the_agent_of_a_running_run_is_told_to_stop_it",
    ),
    Mutation(
        name="cancel: what is withdrawn stays in its queue",
        promise="cancel",
        file=f"{_LIB}/cancel.lua",
        old="    redis.call('LREM', 'rq:queue:' .. queue, 1, id)\n",
        new="",
        test="tests/store/test_runs.py::test_a_queued_run_is_cancelled_at_once",
    ),
    Mutation(
        name="event: nobody hears it live",
        promise="told",
        file=f"{_LIB}/event.lua",
        old="  if heard then\n",
        new="  if false then\n",
        test="tests/store/test_events.py::test_an_event_is_published_as_it_is_kept",
    ),
    Mutation(
        name="expire: the ledger does not have it",
        promise="expiry",
        file=f"{_LIB}/expire.lua",
        old="  if run.job ~= '' and fire_at and",
        new="  if false and",
        test="tests/store/test_expiring.py"
        "::test_a_fire_expires_by_its_own_moment_and_not_by_when_it_was_made",
    ),
    Mutation(
        name="finish: an ended run counts as active",
        promise="overlap",
        file=f"{_LIB}/finish.lua",
        old="    of_job[#of_job + 1] = id\n",
        new="",
        test="tests/store/test_leases.py::test_a_finished_run_lets_go_of_everything_it_held",
    ),
    Mutation(
        name="finish: ended runs are kept for ever",
        promise="bounded",
        file=f"{_LIB}/finish.lua",
        old="  expire_record(id, ttl)\n",
        new="",
        test="tests/store/test_leases.py::test_a_finished_run_lets_go_of_everything_it_held",
    ),
    Mutation(
        name="finish: followers do not hear of the end",
        promise="output",
        file=f"{_LIB}/finish.lua",
        old="    { 'end', state,",
        new="    { 'progress', state,",
        test="tests/store/test_outputs.py::test_the_end_is_published_to_who_listens_at_the_moment",
    ),
    Mutation(
        name="orders: a cordoned host is told as up",
        promise="hosts",
        file=f"{_LIB}/orders.lua",
        old="  return state == 'up' and orders[1] == 1 and 'cordoned' or state\n",
        new="  return state\n",
        test="tests/store/test_agents.py::test_an_agent_of_a_cordoned_host_is_cordoned_whatever_it_says",
    ),
    Mutation(
        name="park: the lowest priority first",
        promise="order",
        file=f"{_LIB}/park.lua",
        old="(9 - priority) * 1e14",
        new="priority * 1e14",
        test="tests/store/test_limits.py"
        "::test_of_the_runs_that_wait_the_higher_priority_goes_first_and_then_the_older",
    ),
    Mutation(
        name="park: never unparked",
        promise="order",
        file=f"{_LIB}/park.lua",
        old="    if fields[1] == 'parked' then\n",
        new="    if false then\n",
        test="tests/store/test_leases.py::test_a_parked_run_goes_on_when_a_slot_is_free",
    ),
    Mutation(
        name="poison: never",
        promise="poison",
        file=f"{_LIB}/poison.lua",
        old="  if #died < POISON_AFTER then return nil end\n",
        new="  if true then return nil end\n",
        test="tests/store/test_losses.py"
        "::test_a_run_that_was_lost_three_times_is_poisoned_and_tells_whom_it_took_down",
    ),
    Mutation(
        name="poison: whatever came in between",
        promise="poison",
        file=f"{_LIB}/poison.lua",
        old="      died = {} -- whom it left alive\n",
        new="",
        test="tests/store/test_losses.py"
        "::test_a_run_that_left_an_agent_alive_in_between_is_not_poisoned",
    ),
    Mutation(
        name="queue: no bell",
        promise="order",
        file=f"{_LIB}/queue.lua",
        old="  if redis.call('LLEN', bell) == 0 then\n",
        new="  if false then\n",
        test="tests/store/test_leases.py::test_what_is_left_in_a_queue_rings_its_bell_again",
    ),
    Mutation(
        name="queue: a bound run does not count for its host",
        promise="overlap",
        file=f"{_LIB}/queue.lua",
        old="  if host and host ~= '' then redis.call(command,",
        new="  if false then redis.call(command,",
        test="tests/store/test_fires.py::test_overlap_is_looked_at_on_each_host_by_itself",
    ),
    Mutation(
        name="refuse: a host is asked again and again",
        promise="hosts",
        file=f"{_LIB}/refuse.lua",
        old="local refused = (was[1] and was[1] .. ' ' or '') .. run.host",
        new="local refused = was[1] or ''",
        test="tests/worker/test_gate.py"
        "::test_where_all_live_hosts_refuse_it_has_failed_and_each_was_asked_once",
    ),
    Mutation(
        name="release: the slot of the job stays",
        promise="limits",
        file=f"{_LIB}/release.lua",
        old="    hold('jober:slots:' .. job)\n",
        new="",
        test="tests/store/test_leases.py::test_a_finished_run_lets_go_of_everything_it_held",
    ),
    Mutation(
        name="release: the slots of shared limits stay",
        promise="limits",
        file=f"{_LIB}/release.lua",
        old="do hold('jober:limit:' .. name) end",
        new="do end",
        test="tests/store/test_limits.py"
        "::test_an_attempt_lets_go_of_the_limits_that_it_took_though_the_job_has_others_by_then",
    ),
    Mutation(
        name="retry: without a delay",
        promise="retries",
        file=f"{_LIB}/retry.lua",
        old="  local due = now + retry_in_ms\n",
        new="  local due = now\n",
        test="tests/store/test_retries.py"
        "::test_a_run_that_is_tried_again_waits_holds_nothing_and_is_still_active",
    ),
    Mutation(
        name="retry: what somebody wants stopped is tried again",
        promise="cancel",
        file=f"{_LIB}/retry.lua",
        old="  if was[1] or is_gone(",
        new="  if is_gone(",
        test="tests/store/test_retries.py"
        "::test_a_run_is_not_tried_again_once_it_is_to_be_stopped_or_its_job_is_gone",
    ),
    Mutation(
        name="rq: a dependent waits for one only",
        promise="rq",
        file=f"{_LIB}/rq.lua",
        old="      return false\n    end\n  end\n  return true\n",
        new="      return true\n    end\n  end\n  return true\n",
        test="tests/store/test_rq_jobs.py::test_a_dependent_waits_for_all_that_it_depends_on",
    ),
    Mutation(
        name="rq_queue: what was cancelled comes back when its time has come",
        promise="rq",
        file=f"{_LIB}/rq_queue.lua",
        old="  if job[1] ~= 'scheduled' then return false end\n",
        new="",
        test="tests/store/test_rq_jobs.py"
        "::test_a_job_that_waits_for_no_moment_any_more_is_not_put_into_its_queue",
    ),
    Mutation(
        name="run: the same fire is listed again",
        promise="once",
        file=f"{_LIB}/run.lua",
        old="  return redis.call('ZADD', 'jober:runs:' .. name, 'NX', new_score, id) == 1\n",
        new="  redis.call('ZADD', 'jober:runs:' .. name, new_score, id)\n  return true\n",
        test="tests/store/test_fires.py"
        "::test_a_fire_whose_cursor_was_lost_makes_no_second_run_of_it",
    ),
    Mutation(
        name="service: a stopped one is still known",
        promise="services",
        file=f"{_LIB}/service.lua",
        old="  redis.call('DEL', key)\n",
        new="",
        test="tests/store/test_services.py"
        "::test_pausing_and_the_end_of_the_service_stop_its_runs_with_no_leader",
    ),
    Mutation(
        name="time: by another clock than Redis's",
        promise="fires",
        file=f"{_LIB}/time.lua",
        old="  return t[1] * 1000 + math.floor(t[2] / 1000)\n",
        new="  return t[1] * 1000 + math.floor(t[2] / 1000) + 60000\n",
        test="tests/store/test_fires.py::test_a_fire_ahead_of_the_clock_of_redis_is_refused",
    ),
)
