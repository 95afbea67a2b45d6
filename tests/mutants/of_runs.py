"""Mutations of the scripts of a run: FIRE, ENQUEUE, CLAIM, RENEW, FINISH, RECLAIM."""

from tests.mutants.mutation import Mutation

_LUA = "common/jober/store/lua"

RUN_SCRIPTS = (
    Mutation(
        name="FIRE: no fence",
        promise="fires",
        file=f"{_LUA}/fire.lua",
        old="if leader ~= ARGV[1] then return { 'fenced', leader } end",
        new="",
        test="tests/store/test_fires.py::test_a_node_that_leads_no_more_fires_nothing",
    ),
    Mutation(
        name="FIRE: a fire before the cursor fires again",
        promise="fires",
        file=f"{_LUA}/fire.lua",
        old="    elseif at > cursor then\n",
        new="    else\n",
        test="tests/store/test_fires.py"
        "::test_a_fire_before_the_cursor_makes_nothing_and_the_cursor_stays",
    ),
    Mutation(
        name="FIRE: the cursor goes back",
        promise="fires",
        file=f"{_LUA}/fire.lua",
        old="  if tonumber(new_cursor) < cursor then new_cursor = job[CURSOR] end\n",
        new="",
        test="tests/store/test_fires.py"
        "::test_a_fire_before_the_cursor_makes_nothing_and_the_cursor_stays",
    ),
    Mutation(
        name="FIRE: a plan for another definition is carried out",
        promise="fires",
        file=f"{_LUA}/fire.lua",
        old="if not job or job[REVISION] ~= plan[2] then return 'stale' end",
        new="if not job then return 'stale' end",
        test="tests/store/test_fires.py::test_a_plan_for_another_revision_does_nothing",
    ),
    Mutation(
        name="FIRE: ahead of the clock of Redis",
        promise="fires",
        file=f"{_LUA}/fire.lua",
        old="  if tonumber(new_cursor) > early then return 'early' end\n",
        new="",
        test="tests/store/test_fires.py::test_a_fire_ahead_of_the_clock_of_redis_is_refused",
    ),
    Mutation(
        name="FIRE: a skipped fire is not in the ledger",
        promise="fires",
        file=f"{_LUA}/fire.lua",
        old="      write_ledger(name, 'skipped', at, 'reason', reason)\n",
        new="",
        test="tests/store/test_fires.py"
        "::test_a_fire_is_skipped_and_ledgered_while_an_earlier_run_goes_on",
    ),
    Mutation(
        name="FIRE: missed fires are told to nobody",
        promise="fires",
        file=f"{_LUA}/fire.lua",
        old="      if at > told then tell_missed(",
        new="      if false then tell_missed(",
        test="tests/store/test_fires.py"
        "::test_a_range_of_missed_fires_is_one_entry_with_its_count_and_an_event",
    ),
    Mutation(
        name="FIRE: overlap is looked at by nobody",
        promise="overlap",
        file=f"{_LUA}/fire.lua",
        old="  if #going < limit then return nil end\n",
        new="  if true then return nil end\n",
        test="tests/store/test_fires.py::test_a_run_by_hand_counts_for_the_overlap",
    ),
    Mutation(
        name="FIRE: late fires are skipped for one another",
        promise="overlap",
        file=f"{_LUA}/fire.lua",
        old="      if not made_now[id] then going[#going + 1] = id end",
        new="      going[#going + 1] = id",
        test="tests/store/test_fires.py"
        "::test_fires_that_are_late_together_are_not_skipped_for_one_another",
    ),
    Mutation(
        name="FIRE: what others have deleted blocks its job",
        promise="overlap",
        file=f"{_LUA}/fire.lua",
        old="    if LIVE[state] and not OVER[run[2]] then\n",
        new="    if not OVER[run[2]] then\n",
        test="tests/store/test_fires.py"
        "::test_a_run_that_others_have_deleted_does_not_block_its_job_for_ever",
    ),
    Mutation(
        name="FIRE: a paused job fires",
        promise="fires",
        file=f"{_LUA}/fire.lua",
        old="  if job[PAUSED] == '1' then\n",
        new="  if false then\n",
        test="tests/store/test_fires.py::test_a_paused_job_does_not_fire",
    ),
    Mutation(
        name="ENQUEUE: a call that is sent again makes its run again",
        promise="once",
        file=f"{_LUA}/lib/run.lua",
        old="    if list_run(run.id, name, now) then\n",
        new="    if list_run(run.id, name, now) or true then\n",
        test="tests/store/test_runs.py::test_a_run_by_hand_that_is_sent_again_is_made_once",
    ),
    Mutation(
        name="CLAIM: the status need not be queued",
        promise="once",
        file=f"{_LUA}/claim.lua",
        old="fields[1] ~= 'queued' then return true ",
        new="not fields[1] then return true ",
        test="tests/store/test_attempts.py"
        "::test_a_run_that_is_in_its_queue_twice_is_claimed_once_and_a_withdrawn_one_never",
    ),
    Mutation(
        name="ENQUEUE: runs are of one kind whatever they do",
        promise="once",
        file=f"{_LUA}/lib/run.lua",
        old="last[1] ~= name or last[2] ~= data or last[3]",
        new="last[1] ~= name or last[3]",
        test="tests/store/test_leases.py::test_of_many_runs_each_is_told_as_it_was_made",
    ),
    Mutation(
        name="CLAIM: all are of one kind",
        promise="once",
        file=f"{_LUA}/claim.lua",
        old="    local kind = kinds[fields[4]]\n    if kind or",
        new="    local _, kind = next(kinds)\n    if kind or",
        test="tests/store/test_leases.py::test_of_many_runs_each_is_told_as_it_was_made",
    ),
    Mutation(
        name="CLAIM: the newest first",
        promise="order",
        file=f"{_LUA}/claim.lua",
        old="redis.call('LPOP', key,",
        new="redis.call('RPOP', key,",
        test="tests/store/test_leases.py"
        "::test_a_claim_takes_runs_in_order_and_tells_all_there_is_to_know",
    ),
    Mutation(
        name="CLAIM: one more than the limit",
        promise="limits",
        file=f"{_LUA}/claim.lua",
        old="    if redis.call('ZCARD', one.slots) >= one.number then\n",
        new="    if redis.call('ZCARD', one.slots) > one.number then\n",
        test="tests/store/test_leases.py"
        "::test_a_run_past_the_limit_of_its_job_is_parked_and_stands_in_nobodys_way",
    ),
    Mutation(
        name="CLAIM: a slot expires by itself",
        promise="limits",
        file=f"{_LUA}/claim.lua",
        old="    if redis.call('ZCARD', one.slots) >= one.number then\n",
        new="    redis.call('ZREMRANGEBYSCORE', one.slots, '-inf', now - 10000)\n"
        "    if redis.call('ZCARD', one.slots) >= one.number then\n",
        test="tests/store/test_attempts.py"
        "::test_a_slot_is_held_as_long_as_its_attempt_however_long_that_takes",
    ),
    Mutation(
        name="CLAIM: takes no slots",
        promise="limits",
        file=f"{_LUA}/claim.lua",
        old="for _, one in ipairs(want.full) do redis.call('ZADD', one.slots, now_text, lease) end",
        new="",
        test="tests/store/test_limits.py"
        "::test_jobs_that_share_a_limit_run_no_more_at_once_than_it_says",
    ),
    Mutation(
        name="CLAIM: takes some slots of a run that then waits for others",
        promise="limits",
        file=f"{_LUA}/claim.lua",
        old="  for at, one in ipairs(want.full) do\n",
        new="  for at, one in ipairs(want.full) do\n"
        "    if at > 1 then redis.call('ZADD', want.full[at - 1].slots, now, id) end\n",
        test="tests/store/test_limits.py"
        "::test_a_slot_that_a_run_leaves_for_want_of_another_goes_to_the_next",
    ),
    Mutation(
        name="CLAIM: a slot that is left for want of another is nobody's",
        promise="order",
        file=f"{_LUA}/claim.lua",
        old="free.number then unpark_one(free.parked) end",
        new="free.number then end",
        test="tests/store/test_limits.py"
        "::test_a_slot_that_a_run_leaves_for_want_of_another_goes_to_the_next",
    ),
    Mutation(
        name="CLAIM: a heavy run is passed for ever",
        promise="order",
        file=f"{_LUA}/claim.lua",
        old=" >= PASS_MS then\n",
        new=" >= math.huge then\n",
        test="tests/store/test_limits.py"
        "::test_a_heavy_run_is_passed_by_lighter_ones_for_a_while_and_then_waited_for",
    ),
    Mutation(
        name="CLAIM: starts what is over",
        promise="expiry",
        file=f"{_LUA}/claim.lua",
        old="  if expires_at and is_first and now >= (",
        new="  if false and now >= (",
        test="tests/store/test_expiring.py"
        "::test_a_run_that_has_expired_is_missed_by_whoever_would_take_it",
    ),
    Mutation(
        name="CLAIM: does not note whose it is",
        promise="ends",
        file=f"{_LUA}/claim.lua",
        old="  agent_runs[count + 1], agent_runs[count + 2] = now_text, lease\n",
        new="",
        test="tests/store/test_leases.py::test_a_claim_whose_reply_was_lost_goes_back_to_its_queue",
    ),
    Mutation(
        name="CLAIM: does not ring for what it leaves",
        promise="order",
        file=f"{_LUA}/claim.lua",
        old="  if rest > 0 and not blocked or first_passed then ring(queue) end\n",
        new="",
        test="tests/store/test_leases.py::test_what_is_left_in_a_queue_rings_its_bell_again",
    ),
    Mutation(
        name="CLAIM: for a host that is cordoned",
        promise="hosts",
        file=f"{_LUA}/claim.lua",
        old="if redis.call('HEXISTS', 'jober:cordoned', host) == 1 then return",
        new="if false then return",
        test="tests/store/test_leases.py::test_nothing_is_claimed_for_a_host_that_is_cordoned",
    ),
    Mutation(
        name="CLAIM: while RQ is suspended",
        promise="rq",
        file=f"{_LUA}/claim.lua",
        old="if redis.call('EXISTS', KEYS[3]) == 1 then return",
        new="if false then return",
        test="tests/store/test_leases.py::test_nothing_is_claimed_while_rq_is_suspended",
    ),
    Mutation(
        name="RENEW: whatever the attempt",
        promise="ends",
        file=f"{_LUA}/renew.lua",
        old=" and run[2] == attempt and run[8] == agent then",
        new=" and run[8] == agent then",
        test="tests/store/test_attempts.py"
        "::test_of_two_attempts_only_the_newest_is_renewed_and_ended",
    ),
    Mutation(
        name="RENEW: whosever the attempt is",
        promise="ends",
        file=f"{_LUA}/renew.lua",
        old=" and run[2] == attempt and run[8] == agent then",
        new=" and run[2] == attempt then",
        test="tests/store/test_attempts.py"
        "::test_an_attempt_that_a_redis_without_its_last_second_gave_to_another_is_the_others",
    ),
    Mutation(
        name="RENEW: a claim whose reply was lost is nobody's",
        promise="ends",
        file=f"{_LUA}/renew.lua",
        old="run[2] == attempt and run[11] == agent then\n",
        new="false then\n",
        test="tests/store/test_leases.py::test_a_claim_whose_reply_was_lost_goes_back_to_its_queue",
    ),
    Mutation(
        name="RENEW: gives up a claim whose reply may be on its way",
        promise="ends",
        file=f"{_LUA}/renew.lua",
        old="    redis.call('ZADD', KEYS[1], 'XX', now + lease_ms,\n",
        new="    redis.call('ZADD', KEYS[1], 'XX', 1,\n",
        test="tests/store/test_leases.py"
        "::test_nobody_gives_up_a_claim_whose_reply_may_be_on_its_way",
    ),
    Mutation(
        name="RENEW: does not tell what to cancel",
        promise="cancel",
        file=f"{_LUA}/renew.lua",
        old="    if run[3] then cancel[#cancel + 1] = { lease, run[3] } end\n",
        new="",
        test="tests/store/test_leases.py"
        "::test_renewing_extends_the_lease_and_tells_what_is_lost_and_what_to_cancel",
    ),
    Mutation(
        name="FINISH: whatever the attempt",
        promise="ends",
        file=f"{_LUA}/finish.lua",
        old="  local is_it = attempt_now == attempt\n",
        new="  local is_it = true\n",
        test="tests/store/test_attempts.py"
        "::test_of_two_attempts_only_the_newest_is_renewed_and_ended",
    ),
    Mutation(
        name="FINISH: whosever the attempt is",
        promise="ends",
        file=f"{_LUA}/finish.lua",
        old="  local anothers = is_it and live and agent_now ~= agent\n",
        new="  local anothers = false\n",
        test="tests/store/test_attempts.py"
        "::test_an_attempt_that_a_redis_without_its_last_second_gave_to_another_is_the_others",
    ),
    Mutation(
        name="FINISH: an end that is told twice is written twice",
        promise="once",
        file=f"{_LUA}/finish.lua",
        old="  local ours = is_it and (live or late) and not anothers\n",
        new="  local ours = is_it and not anothers\n",
        test="tests/store/test_leases.py::test_a_second_report_of_the_same_end_changes_nothing",
    ),
    Mutation(
        name="FINISH: the truth about a lost run is not taken",
        promise="ends",
        file=f"{_LUA}/finish.lua",
        old="  local late = state == 'lost' or",
        new="  local late = false and state == 'lost' or",
        test="tests/store/test_leases.py"
        "::test_the_true_end_of_a_run_that_was_given_up_is_taken_when_it_comes",
    ),
    Mutation(
        name="FINISH: never releases",
        promise="limits",
        file=f"{_LUA}/finish.lua",
        old="  if not anothers then release(id .. ':' .. attempt, work) end\n",
        new="",
        test="tests/store/test_leases.py::test_a_finished_run_lets_go_of_everything_it_held",
    ),
    Mutation(
        name="FINISH: what waits for the slot stays parked",
        promise="order",
        file=f"{_LUA}/finish.lua",
        old="  unpark(work[1], work[3], work[4])\n",
        new="",
        test="tests/store/test_leases.py::test_a_parked_run_goes_on_when_a_slot_is_free",
    ),
    Mutation(
        name="FINISH: never tries again",
        promise="retries",
        file=f"{_LUA}/finish.lua",
        old="  elseif late or not retry_in or",
        new="  elseif true or",
        test="tests/store/test_retries.py"
        "::test_a_run_that_is_tried_again_waits_holds_nothing_and_is_still_active",
    ),
    Mutation(
        name="RECLAIM: a lease that is still good",
        promise="ends",
        file=f"{_LUA}/reclaim.lua",
        old="  if until_ms and tonumber(until_ms) <= now then",
        new="  if until_ms then",
        test="tests/store/test_losses.py::test_a_lease_that_is_renewed_after_all_is_left_alone",
    ),
    Mutation(
        name="RECLAIM: by what was seen of a Redis that has been restarted since",
        promise="ends",
        file=f"{_LUA}/reclaim.lua",
        old="if not string.find(redis.call('INFO', 'server'), ARGV[4], 1, true) then",
        new="if false then",
        test="tests/scheduler/test_parts.py"
        "::test_leases_are_given_up_by_the_redis_that_was_looked_at_and_by_no_other",
    ),
    Mutation(
        name="RECLAIM: whatever the job says of lost runs",
        promise="retries",
        file=f"{_LUA}/reclaim.lua",
        old="    elseif retry_in and not poison and put_off(",
        new="    elseif false and put_off(",
        test="tests/store/test_losses.py::test_a_lost_run_is_tried_again_where_its_job_says_so",
    ),
    Mutation(
        name="RECLAIM: slots expire and the run goes on",
        promise="ends",
        file=f"{_LUA}/reclaim.lua",
        old="  elseif is_it and (is_reserved or run[1] == 'running') then\n",
        new="  elseif false then\n",
        test="tests/store/test_leases.py"
        "::test_a_run_whose_agent_is_silent_for_longer_than_its_lease_is_lost",
    ),
    Mutation(
        name="RECLAIM: the run is over and its slots stay",
        promise="limits",
        file=f"{_LUA}/reclaim.lua",
        old="  release_attempt(lease, job, host, agent, limits, queue)\n",
        new="  redis.call('ZREM', KEYS[1], member)\n",
        test="tests/store/test_limits.py::test_a_lost_attempt_lets_go_of_its_limits",
    ),
)
