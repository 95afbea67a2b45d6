"""The names of jobs as a label, of which a monitoring system bears only so many."""

# Each costs a monitoring system a dozen time series.
MOST = 500
OTHERS = "(others)"


class JobNames:
    """Remembers the first `most` names that come; all others are one."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._names: set[str] = set()

    def label(self, name: str) -> str:
        if name in self._names:
            return name
        if len(self._names) >= self._most:
            return OTHERS
        self._names.add(name)
        return name
