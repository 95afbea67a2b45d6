"""How far a run is, in words and as a bar. Pure."""

from jober.progress import Progress, Step
from jober.words import plain

_BAR = 20


def compact(progress: Progress) -> str:
    """`50% 5/10 copying`, of the whole; where nothing is told of that, of the newest group."""
    return step_text(_main(progress))


def bar(progress: Progress, width: int) -> str:
    """One line for a terminal: a bar of the whole, and the newest group that is not done."""
    main = _main(progress)
    parts = [step_text(main)]
    rest = [step for step in progress.groups.values() if step is not main and _goes_on(step)]
    if rest:
        parts.append(step_text(rest[-1]))
    fraction = main.fraction
    if fraction is not None:
        filled = round(fraction * _BAR)
        parts[0] = f"{'█' * filled}{'░' * (_BAR - filled)} {parts[0]}"
    line = " · ".join(parts)
    return line if len(line) <= width else f"{line[: max(0, width - 1)]}…"


def step_text(step: Step) -> str:
    """`copy/files 50% 5/10 x.bin`."""
    words = [step.group] if step.group else []
    if step.fraction is not None:
        words.append(f"{step.fraction:.0%}")
    if step.done is not None:
        words.append(_number(step.done) + (f"/{_number(step.total)}" if step.total else ""))
    if step.message:
        words.append(step.message)
    return plain(" ".join(words))


def _main(progress: Progress) -> Step:
    if progress.whole.to_dict() or not progress.groups:
        return progress.whole
    return list(progress.groups.values())[-1]


def _goes_on(step: Step) -> bool:
    return step.fraction is None or step.fraction < 1


def _number(value: float) -> str:
    return f"{value:.10g}"
