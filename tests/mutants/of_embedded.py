"""Mutations of the folders that programs share."""

from tests.mutants.mutation import Mutation

_EMBEDDED = "common/jober/embedded"
_TEST = "tests/embedded/test_folder.py"

EMBEDDED = (
    Mutation(
        name="keeper: the runs of who has gone go on",
        promise="ends",
        file=f"{_EMBEDDED}/keeper.py",
        old="            self._store.runs.cancel_all(runs, GONE)\n",
        new="            pass\n",
        test=f"{_TEST}::test_runs_of_one_program_are_seen_by_others_and_end_with_it",
    ),
    Mutation(
        name="ENQUEUE: nobody knows whose a run is",
        promise="ends",
        file="common/jober/store/lua/enqueue.lua",
        old="  if owner ~= '' and #new > 0 then own(new) end\n",
        new="",
        test=f"{_TEST}::test_runs_of_one_program_are_seen_by_others_and_end_with_it",
    ),
    Mutation(
        name="keeper: ends though a detached run goes on",
        promise="ends",
        file=f"{_EMBEDDED}/keeper.py",
        old="            if self._any_detached():\n",
        new="            if False:\n",
        test=f"{_TEST}::test_a_detached_run_goes_on_to_its_end_though_nobody_is_there",
    ),
    Mutation(
        name="keeper: a child holds the place of a program that was killed",
        promise="ends",
        file=f"{_EMBEDDED}/keeper.py",
        old="            member.pidfd = os.pidfd_open(pid)\n",
        new="            raise AttributeError\n",
        test=f"{_TEST}::test_a_child_that_a_killed_program_has_forked_is_no_member_in_its_place",
    ),
    Mutation(
        name="folder: two that come at once start a keeper each",
        promise="once",
        file=f"{_EMBEDDED}/folder.py",
        old="            fcntl.flock(file, fcntl.LOCK_EX)\n            yield\n",
        new="            yield\n",
        test=f"{_TEST}::test_programs_that_open_a_folder_at_once_share_one_redis_and_one_agent",
    ),
    Mutation(
        name="member: where the keeper is killed nobody starts another",
        promise="outage",
        file=f"{_EMBEDDED}/member.py",
        old="            self._come_back()\n",
        new="            return\n",
        test=f"{_TEST}"
        "::test_where_the_keeper_is_killed_its_members_start_another_and_nothing_is_lost",
    ),
    Mutation(
        name="keeper: nothing in a folder is kept",
        promise="outage",
        file=f"{_EMBEDDED}/keeper.py",
        old="folder.path, durable=durable, sockets",
        new="folder.path, durable=False, sockets",
        test=f"{_TEST}::test_what_is_in_a_folder_is_kept",
    ),
)
