"""Mutations of the web part: of whom it serves and what it tells them, and of what it stands on."""

from tests.mutants.mutation import Change, Mutation

_LUA = "common/jober/store/lua"
_TESTS = "tests/client/test_looking.py"
_ROOM = "web/jober_web"
_ROUTES = "tests/web/access/test_routes.py"
_LIMITS = "tests/web/access/test_limits.py"
_STREAMS = "tests/web/stream/test_streams.py"

WEB = (
    Mutation(
        name="lists: a job stays in the lists that it stood in",
        promise="input",
        file=f"{_LUA}/lib/lists.lua",
        old="    redis.call('ZREM', 'jober:jobs:' .. list, name)\n",
        new="",
        test=f"{_TESTS}::test_a_job_that_is_changed_or_removed_stands_in_no_old_list",
    ),
    Mutation(
        name="FIND: a page ends where nothing was found",
        promise="input",
        file=f"{_LUA}/find.lua",
        old="#names == tonumber(ARGV[3]) and names[#names] or ''",
        new="#found > 0 and #names == tonumber(ARGV[3]) and names[#names] or ''",
        test=f"{_TESTS}::test_pages_meet_and_a_call_looks_at_a_bounded_number",
    ),
    Mutation(
        name="APPLY: a definition that has been changed meanwhile is written over",
        promise="input",
        file=f"{_LUA}/apply.lua",
        old="tonumber(job[3] or 0) ~= change.if_revision",
        new="false",
        test=f"{_TESTS}::test_a_definition_is_replaced_only_where_it_is_what_was_read",
    ),
    Mutation(
        name="APPLY: a calendar that a job names is removed",
        promise="input",
        file=f"{_LUA}/apply.lua",
        old="      if not names_limits[job] then return { 'calendar in use', calendar, job } end\n",
        new="",
        test=f"{_TESTS}::test_calendars_are_set_and_removed_but_where_a_job_names_one",
    ),
    Mutation(
        name="ENQUEUE: a call with a key is made each time",
        promise="once",
        file=f"{_LUA}/enqueue.lua",
        old="if before[1] then\n",
        new="if false then\n",
        test=f"{_TESTS}::test_a_call_with_a_key_makes_its_run_once",
    ),
    Mutation(
        name="guards: who is known may do all",
        promise="access",
        file=f"{_ROOM}/access/guard.py",
        old="        if not who.may(self.scope):\n",
        new="        if False:\n",
        test=f"{_ROUTES}::test_who_may_less_than_a_route_demands_is_refused",
    ),
    Mutation(
        name="guards: another site may make a browser change something",
        promise="access",
        file=f"{_ROOM}/access/guard.py",
        old='            await check_csrf(request, "session")\n',
        new="            pass\n",
        test="tests/web/access/test_log_in.py::"
        "test_what_another_site_makes_a_browser_send_changes_nothing",
    ),
    Mutation(
        name="guards: a route without one is made",
        promise="access",
        file=f"{_ROOM}/access/route.py",
        old="        if not demands and not is_public(self.endpoint):\n",
        new="        if False:\n",
        test=f"{_ROUTES}::test_a_route_without_a_guard_cannot_be_made",
    ),
    Mutation(
        name="sight: cursors name what is not seen",
        promise="access",
        file=f"{_ROOM}/sight.py",
        old="next=seen[-1].id if seen and found.next else None",
        new="next=found.next",
        test=f"{_LIMITS}::test_the_cursors_of_lists_tell_of_nothing_either",
    ),
    Mutation(
        name="sight: runs of a job that is gone are everybody's",
        promise="access",
        file=f"{_ROOM}/sight.py",
        old="    return [run for run in found if who.sees(jobs[run.id])]\n",
        new="    return [run for run in found if jobs[run.id] is None or who.sees(jobs[run.id])]\n",
        also=(
            Change(
                file=f"{_ROOM}/sight.py",
                old="gone[run.job, run.revision] = jober.definition_of(run)",
                new="gone[run.job, run.revision] = None",
            ),
        ),
        test=f"{_LIMITS}::test_runs_of_a_job_that_is_gone_are_for_who_saw_it",
    ),
    Mutation(
        name="streams: rights are looked at once",
        promise="access",
        file=f"{_ROOM}/stream/routes.py",
        old="                        if not look.result():\n",
        new="                        if False:\n",
        test="tests/web/access/test_streams.py::"
        "test_a_stream_ends_soon_after_the_rights_have_changed",
    ),
    Mutation(
        name="streams: a Redis that is away is told to be there",
        promise="told",
        file=f"{_ROOM}/stream/followers.py",
        old='{"up": not is_away}',
        new='{"up": True}',
        test=f"{_STREAMS}::test_while_redis_is_away_it_says_so_and_streams_go_on_with_nothing_missing",
    ),
    Mutation(
        name="streams: how much the cap has cut is not told",
        promise="output",
        file=f"{_ROOM}/stream/followers.py",
        old="Truncated(dropped=frame.offset - place.offset)",
        new="Truncated(dropped=0)",
        test=f"{_STREAMS}::test_where_the_cap_has_cut_a_mark_stands_also_after_a_stream_was_lost",
    ),
    Mutation(
        name="the API: a definition is replaced by who has not seen it",
        promise="input",
        file=f"{_ROOM}/api/jobs.py",
        old="    elif revision is not None:\n        raise _say_which(name)\n",
        new="    elif revision is not None:\n        required = revision\n",
        test="tests/web/api/test_api.py::"
        "test_a_job_is_made_changed_and_removed_by_who_knows_its_revision",
    ),
)
