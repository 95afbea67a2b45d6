"""All that a run has written: from Redis, and what the cap has cut there from the files on its
hosts, asked of their agents a piece at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from jober.errors import JoberError
from jober.output import Frame, LogFile, Truncated
from jober.store import Store
from jober.store.host_logs import Answer

# What is read at a time on the way back from the end.
_BLOCK_BYTES = 1024 * 1024

Items = Iterator[Frame | Truncated]


class WholeLog:
    """One reader of the output of one run. Every call may raise RedisUnavailable."""

    def __init__(self, store: Store, run: str) -> None:
        self.run = run
        self._store = store
        self._files = store.outputs.files(run)
        self._is_known = store.outputs.has_record(run)

    @property
    def files(self) -> Sequence[LogFile]:
        """Where the whole of it is; nothing where no file keeps it, or the run is forgotten."""
        return self._files

    def forward(self, *, whole: bool = True) -> Items:
        """All of it in order, with a mark where bytes are missing; without `whole`, what is in
        Redis. A frame from a file has no seq."""
        at, is_empty = 0, True
        for frame in self._store.outputs.read(self.run):
            is_empty = False
            if frame.offset > at:
                yield from self._hole(at, frame.offset, whole)
            yield frame
            at = frame.end
        if is_empty and whole:
            self.find()
            yield from self._hole(0, self._end(), whole)

    def between(self, start: int, end: int, *, whole: bool = True) -> Items:
        """The bytes from `start` to before `end`, as `forward` tells them; no more of it is read
        than that."""
        at, is_empty = start, True
        for frame in self._store.outputs.read_from(self.run, start):
            is_empty = False
            if frame.offset > at:
                yield from self._hole(at, min(frame.offset, end), whole)
                at = frame.offset
            if at >= end:
                return
            yield _cut(frame, at, end)
            at = min(frame.end, end)
        if is_empty and whole and self.find():
            yield from self._hole(start, min(end, self._end()), whole)

    def size(self) -> int:
        """How many bytes there are, wherever they are kept."""
        size = self._store.outputs.size(self.run)
        return size if size or not self.find() else self._end()

    def backward(self) -> Iterator[list[Frame | Truncated]]:
        """All of it in blocks, the last block first, each in order."""
        at: int | None = None
        block: list[Frame | Truncated] = []
        for frame in self._store.outputs.read_back(self.run):
            if at is not None and frame.end < at:
                yield block[::-1]
                block = []
                yield from self._hole_back(frame.end, at)
            block.append(frame)
            at = frame.offset
        yield block[::-1]
        if at is None:
            self.find()
            at = self._end()
        yield from self._hole_back(0, at)

    def _hole_back(self, start: int, end: int) -> Iterator[list[Frame | Truncated]]:
        while end > start:
            begin = max(start, end - _BLOCK_BYTES) if self._files else start
            items = list(self._hole(begin, end, True))
            if len(items) == 1 and isinstance(items[0], Truncated) and items[0].why:
                # What cannot be had is not asked for block by block.
                items = [replace(items[0], dropped=end - start)]
                begin = start
            yield items
            end = begin

    def _hole(self, start: int, end: int, whole: bool) -> Items:
        """The bytes from `start` to before `end`, from files where there are some."""
        at, why = start, None
        if whole and self._files:
            # A file ends where that of the next attempt begins.
            ends = [*(file.offset for file in self._files[1:]), end]
            for file, file_end in zip(self._files, ends, strict=True):
                file_end = min(end, file_end)
                if at >= file_end or start >= file_end:
                    continue
                why = None
                for item in self._from_file(file, max(at, file.offset), file_end):
                    if isinstance(item, str):
                        why = item
                        break
                    if item.offset > at:
                        yield Truncated(dropped=item.offset - at)
                    yield item
                    at = item.end
                if why and file_end > at:
                    yield Truncated(dropped=file_end - at, why=why)
                    at = file_end
        if at < end:
            yield Truncated(dropped=end - at)

    def _from_file(self, file: LogFile, start: int, end: int) -> Iterator[Frame | str]:
        """What a file has of it; last, in words, why there is no more, where something is wrong."""
        at = start
        while at < end:
            answer = self._ask(file.host, file.attempt, at - file.offset, end - file.offset)
            if answer is None:
                yield f"they are on host {file.host}, which is away, in {file.path}-*.log"
                return
            if answer.problem:
                yield f"host {file.host} says: {answer.problem} ({file.path}-*.log)"
                return
            if not answer.frames:
                return
            for frame in answer.frames:
                frame = replace(frame, offset=frame.offset + file.offset)
                at = frame.end
                if frame.offset >= end:
                    return
                yield frame if at <= end else replace(frame, data=frame.data[: end - frame.offset])

    def _ask(self, host: str, attempt: int, start: int, end: int) -> Answer | None:
        for agent in self._store.agents.live():
            if agent.host == host:
                answer = self._store.host_logs.ask(agent.id, self.run, attempt, start, end)
                if answer is not None:
                    return answer
        return None

    def find(self) -> bool:
        """Whether a file has it. Where Redis has forgotten the run, the agents may have not."""
        if self._is_known:
            return bool(self._files)
        found: dict[int, tuple[int, str, str]] = {}
        for agent in self._store.agents.live():
            answer = self._store.host_logs.ask(agent.id, self.run, 0, 0, 0)
            for attempt, end in answer.attempts if answer else ():
                assert answer
                found[attempt] = end, agent.host, f"{answer.path}/{attempt}"
        offset = 0
        for attempt, (end, host, path) in sorted(found.items()):
            self._files.append(LogFile(attempt=attempt, offset=offset, host=host, path=path))
            offset += end
        self._is_known = True
        return bool(self._files)

    def _end(self) -> int:
        """How far it goes, as the agent of its last attempt tells."""
        if not self._files:
            return 0
        last = self._files[-1]
        answer = self._ask(last.host, last.attempt, 0, 0)
        ends = dict(answer.attempts) if answer else {}
        if last.attempt not in ends:
            raise JoberError(
                f"Redis has the output of {self.run} no more, and host {last.host}, which keeps it "
                f"in {last.path}-*.log, "
                + ("has it no more either" if answer else "is away (see `jober agents`)")
            )
        return last.offset + ends[last.attempt]


def _cut(frame: Frame, start: int, end: int) -> Frame:
    """The part of a frame between two places in the run."""
    if frame.offset >= start and frame.end <= end:
        return frame
    first = max(start, frame.offset)
    data = frame.data[first - frame.offset : end - frame.offset]
    return replace(frame, offset=first, data=data)
