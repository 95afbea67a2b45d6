"""What a job may say of other jobs. Whether these are there, and come round to itself, is known
only where all of them are."""

from collections.abc import Iterator

from jober.errors import DefinitionError
from jober.ids import JOB_NAME
from jober.job.draft import Draft, Rule
from jober.job.duration import length_s
from jober.job.problems import told
from jober.workflow import quorum_of, results_in

LINK_FIELDS = ("needs", "wait_for", "on_success", "on_failure")


def _names(draft: Draft) -> Iterator[DefinitionError]:
    for field in LINK_FIELDS:
        names = draft.good.get(field, [])
        for name in names:
            if not JOB_NAME.fullmatch(name):
                yield DefinitionError(
                    f"{told(name)} is not the name of a job",
                    field=field,
                    value=name,
                    mend="letters, digits, '-' and '_', a letter or digit first, at most 100",
                )
            elif name == draft.good.get("name"):
                yield DefinitionError(
                    f"a loop: {name} → {name}", field=field, value=name, mend="drop its own name"
                )
        if len(set(names)) < len(names):
            yield DefinitionError(
                "a job is named twice", field=field, value=names, mend="name each once"
            )
    both = [name for name in draft.good.get("needs", []) if name in draft.good.get("wait_for", [])]
    if both:
        yield DefinitionError(
            f"{told(both[0])} is in needs too, which is more",
            field="wait_for",
            value=both[0],
            mend="keep it in one of them",
        )


def _results(draft: Draft) -> Iterator[DefinitionError]:
    for field in ("args", "kwargs"):
        try:
            names = list(results_in(draft.good.get(field)))
        except ValueError as error:
            yield DefinitionError(str(error), field=field, mend='{"$result" = "extract"}')
            continue
        for name in names:
            if not JOB_NAME.fullmatch(name) or name == draft.good.get("name"):
                yield DefinitionError(
                    f"{told(name)} is not the name of another job",
                    field=field,
                    value=name,
                    mend="name the job whose result is meant",
                )


def _quorum(draft: Draft) -> Iterator[DefinitionError]:
    if "quorum" not in draft.good:
        return
    quorum = draft.good["quorum"]
    problem = None
    if not has_needs(draft):
        problem = f"{told(quorum)} is of no use: nothing is needed"
    elif isinstance(quorum, int):
        problem = None if 1 <= quorum <= 1000 else f"{told(quorum)} is not from 1 to 1000"
    else:
        try:
            quorum_of(quorum, 1)
        except ValueError as error:
            problem = str(error)
    if problem:
        yield DefinitionError(
            problem,
            field="quorum",
            value=quorum,
            mend='quorum = 3, or quorum = "80%", beside needs',
        )


def has_needs(draft: Draft) -> bool:
    """Whether it needs any job, by a result too; what is wrong is told elsewhere."""
    if "needs" in draft.given:
        return True
    try:
        return any(any(results_in(draft.good.get(field))) for field in ("args", "kwargs"))
    except ValueError:
        return True


def _fresh_for(draft: Draft) -> None:
    if "fresh_for" in draft.good:
        length_s(draft.good["fresh_for"], "fresh_for")


def _no_service(draft: Draft) -> Iterator[DefinitionError]:
    if not draft.good.get("service"):
        return
    for field in (*LINK_FIELDS, "fresh_for"):
        if draft.good.get(field):
            yield DefinitionError(
                f"{told(draft.good[field])} is of no use to a service, which runs always",
                field=field,
                value=draft.good[field],
                mend=f"drop {field}, or drop service",
            )
    if "needs" not in draft.given and has_needs(draft):
        yield DefinitionError(
            "a service runs always, and cannot wait for a result",
            field="service",
            value=True,
            mend="drop the result, or drop service",
        )


WORKFLOW_RULES: tuple[Rule, ...] = (
    _names,
    _results,
    _quorum,
    _fresh_for,
    _no_service,
)
