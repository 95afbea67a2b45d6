"""Mutations of what the web part stands on: jobs that are found, and calls that are made once."""

from tests.mutants.mutation import Mutation

_LUA = "common/jober/store/lua"
_TESTS = "tests/client/test_looking.py"

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
)
