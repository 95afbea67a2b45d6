"""Mutations of who may do what."""

from tests.mutants.mutation import Change, Mutation

_LUA = "common/jober/store/lua"
_PEOPLE = "tests/client/test_people.py"
_LOG_IN = "tests/client/test_log_in.py"


def _of(name: str, file: str, old: str, new: str, test: str) -> Mutation:
    return Mutation(name=name, promise="access", file=file, old=old, new=new, test=test)


ACCESS = (
    _of(
        "users: one that there is is added again",
        f"{_LUA}/user_put.lua",
        "  if password then return -1 end\n",
        "",
        f"{_PEOPLE}::test_a_user_is_added_once_and_only_a_hash_of_the_password_is_kept",
    ),
    _of(
        "users: another password leaves the sessions",
        f"{_LUA}/user_put.lua",
        "if ARGV[4] == '1' then end_sessions(ARGV[1], ARGV[5]) end\n",
        "",
        f"{_LOG_IN}::test_another_password_ends_all_sessions_but_the_one_that_it_was_given_in",
    ),
    _of(
        "users: tokens stay when their user goes",
        f"{_LUA}/user_remove.lua",
        "  redis.call('DEL', 'jober:token:' .. id)\n",
        "",
        f"{_PEOPLE}::test_sessions_and_tokens_go_with_their_user_and_no_namesake_gets_them",
    ),
    _of(
        "tokens: for a user that there is none of",
        f"{_LUA}/token_put.lua",
        "redis.call('EXISTS', 'jober:user:' .. ARGV[4]) == 0",
        "false",
        f"{_PEOPLE}::test_a_token_for_a_user_that_there_is_none_of_is_not_made",
    ),
    _of(
        "tokens: anybody's are revoked by anybody",
        f"{_LUA}/token_revoke.lua",
        "if ARGV[2] ~= '' and user ~= ARGV[2] then return 0 end\n",
        "",
        f"{_PEOPLE}::test_a_token_that_is_revoked_or_over_stands_for_nobody",
    ),
    Mutation(
        name="tokens: the secret is not compared",
        promise="access",
        file=f"{_LUA}/token_read.lua",
        old="if not was[1] or was[1] ~= ARGV[1] then return {} end",
        new="if not was[1] then return {} end",
        test=f"{_PEOPLE}::test_a_token_that_is_wrong_in_a_letter_stands_for_nobody",
        also=(
            Change(
                file="common/jober/store/tokens.py",
                old="return (token, user) if is_same(token.hash, hash) else None",
                new="return (token, user)",
            ),
        ),
    ),
    _of(
        "sessions: one is opened by a password that is none any more",
        f"{_LUA}/session_open.lua",
        "redis.call('HGET', KEYS[3], 'password') ~= ARGV[5]",
        "false",
        f"{_LOG_IN}::test_a_password_that_changes_while_it_is_compared_opens_nothing",
    ),
    _of(
        "sessions: the one that the browser had stays",
        f"{_LUA}/session_open.lua",
        "  redis.call('DEL', 'jober:session:' .. ARGV[7])\n",
        "",
        f"{_LOG_IN}::test_a_log_in_ends_the_session_that_the_browser_had_and_its_id_is_new",
    ),
    _of(
        "sessions: one that is used ends as if it were not",
        f"{_LUA}/session_read.lua",
        "  redis.call('PEXPIRE', KEYS[1], math.min(tonumber(ARGV[1]), left))\n",
        "",
        f"{_LOG_IN}::test_a_session_that_is_used_lives_on",
    ),
    _of(
        "sessions: who logs out stays in",
        f"{_LUA}/session_end.lua",
        "  ended = redis.call('DEL', 'jober:session:' .. ARGV[2])\n",
        "  ended = 1\n",
        f"{_LOG_IN}::test_a_session_ends_by_log_out_and_all_of_them_by_one_everywhere",
    ),
    _of(
        "sessions: all end but for their records",
        f"{_LUA}/lib/sessions.lua",
        "      ended = ended + redis.call('DEL', 'jober:session:' .. hash)\n",
        "      ended = ended + 1\n",
        f"{_LOG_IN}::test_a_session_ends_by_log_out_and_all_of_them_by_one_everywhere",
    ),
    _of(
        "log-ins: any number of tries",
        f"{_LUA}/try.lua",
        "if wait > 0 then return wait end\n",
        "",
        f"{_LOG_IN}::test_the_eleventh_try_at_a_user_is_not_even_looked_at",
    ),
    _of(
        "log-ins: a hash of former times stays",
        "common/jober/client/log_in.py",
        "        if not kept.is_outdated:\n",
        "        if True:\n",
        f"{_LOG_IN}::test_a_hash_of_former_times_is_made_anew_by_the_log_in",
    ),
    _of(
        "log-ins: a user that there is none of is told by the time",
        "common/jober/client/log_in.py",
        "            is_right = (kept or NOBODY).is_of(password)\n",
        "            is_right = kept is not None and kept.is_of(password)\n",
        f"{_LOG_IN}::test_a_user_that_there_is_none_of_costs_as_much_as_one",
    ),
    _of(
        "links: good more than once",
        "common/jober/store/sessions.py",
        '"GETDEL"',
        '"GET"',
        f"{_LOG_IN}::test_a_link_is_good_once_even_for_many_at_the_same_moment",
    ),
    _of(
        "audit: what was done by a call is not noted",
        f"{_LUA}/audit.lua",
        "note_done(cmsgpack.unpack(ARGV[1]))\n",
        "",
        f"{_PEOPLE}::test_the_audit_log_is_read_by_pages_and_by_what_is_wanted",
    ),
    _of(
        "audit: nothing is kept",
        f"{_LUA}/lib/audit.lua",
        "'MAXLEN', '~', 50000",
        "'MAXLEN', 0",
        f"{_LOG_IN}::test_log_ins_and_log_outs_stand_in_the_audit_log",
    ),
    _of(
        "limits: roles are looked at in one place alone",
        "common/jober/access/who.py",
        "        return self.roles is None or all(\n",
        "        return self.roles is None or any(\n",
        "tests/access/test_who.py::test_a_limit_by_roles_lets_see_the_jobs_that_run_nowhere_else",
    ),
)
