"""What the ends of a run may be called, and what goes with retries."""

from collections.abc import Iterator

from jober.errors import DefinitionError, did_you_mean
from jober.job.draft import Draft, Rule
from jober.job.fields.ends import EndFields
from jober.job.problems import told

RETRY_WORDS = ("failed", "timeout", "lost")
_HIGHEST_EXIT_CODE = 255


def _retries(draft: Draft) -> Iterator[DefinitionError]:
    """What says how to try again needs a number of times."""
    if draft.good.get("retries") or "retries" in draft.given - draft.good.keys():
        delay = draft.good.get("retry_delay", 10)
        longest = draft.good.get("retry_max_delay", 3600)
        if delay > longest:
            yield DefinitionError(
                f"{told(delay)} is more than retry_max_delay, {told(longest)}",
                field="retry_delay",
                value=delay,
                mend=f"retry_max_delay = {told(delay)}, or a shorter retry_delay",
            )
        return
    for field in ("retry_delay", "retry_backoff", "retry_max_delay", "retry_on"):
        if field not in draft.good:
            continue
        default = EndFields.model_fields[field].get_default(call_default_factory=True)
        if draft.good[field] != default:
            yield DefinitionError(
                f"{told(draft.good[field])} is of no use: there are no retries",
                field=field,
                value=draft.good[field],
                mend=f"retries = 3 beside it, or drop {field}",
            )


def _retry_on(draft: Draft) -> Iterator[DefinitionError]:
    if "retry_on" not in draft.good:
        return
    words = draft.good["retry_on"]
    if not words and draft.good.get("retries"):
        yield DefinitionError(
            "it is empty, so that nothing would be tried again",
            field="retry_on",
            value=words,
            mend="drop retries, or name what is to be tried again",
        )
    for word in words:
        if problem := _wrong_word(word):
            near = did_you_mean(word[:100], RETRY_WORDS).removeprefix(", ")
            yield DefinitionError(
                problem,
                field="retry_on",
                value=word,
                mend=near or "use 'failed', 'timeout', 'lost', 'exit:75' or 'error:ValueError'",
            )
        elif word.startswith("error:") and draft.kind is not None and not draft.kind.is_call:
            yield DefinitionError(
                f"{told(word)} never comes: a {draft.kind} has an exit status and no exception",
                field="retry_on",
                value=word,
                mend="use 'failed' or 'exit:1'",
            )


def _wrong_word(word: str) -> str | None:
    if word in RETRY_WORDS:
        return None
    kind, colon, rest = word.partition(":")
    if kind == "exit" and colon:
        if rest.isascii() and rest.isdigit() and int(rest[:9]) <= _HIGHEST_EXIT_CODE:
            return None
        return f"{told(rest)} is not an exit status from 0 to {_HIGHEST_EXIT_CODE}"
    if kind == "error" and colon:
        if all(part.isidentifier() for part in rest.split(".")):
            return None
        return f"{told(rest)} is not the name of an exception"
    return f"{told(word)} is no end of a run"


def _exit_codes(draft: Draft) -> Iterator[DefinitionError]:
    for field in ("ok_exit_codes", "skip_exit_codes"):
        if field not in draft.good:
            continue
        codes = draft.good[field]
        default = EndFields.model_fields[field].get_default(call_default_factory=True)
        if draft.kind is not None and draft.kind.is_call and codes != default:
            yield DefinitionError(
                f"{told(codes)} is of no use: a function has no exit status",
                field=field,
                value=codes,
                mend=f"drop {field}; a function that has nothing to do raises jober.Skip",
            )
        for code in codes:
            if not 0 <= code <= _HIGHEST_EXIT_CODE:
                yield DefinitionError(
                    f"{told(code)} is not an exit status from 0 to {_HIGHEST_EXIT_CODE}",
                    field=field,
                    value=code,
                    mend=f"{field} = [{1 if field.startswith('ok') else 75}]",
                )
    good = draft.good.get("ok_exit_codes", [0])
    if not good and "skip_exit_codes" not in draft.good:
        yield DefinitionError(
            "it is empty, so that no run could succeed",
            field="ok_exit_codes",
            value=good,
            mend="ok_exit_codes = [0]",
        )
    both = [code for code in draft.good.get("skip_exit_codes", []) if code in good]
    if both:
        yield DefinitionError(
            f"{told(both[0])} is one of ok_exit_codes too",
            field="skip_exit_codes",
            value=both[0],
            mend="keep it in one of them",
        )


END_RULES: tuple[Rule, ...] = (
    _retries,
    _retry_on,
    _exit_codes,
)
