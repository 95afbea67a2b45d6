"""What becomes of what an attempt writes: masked, then to Redis, to a file too, or to nothing."""

import logging
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from jober.output import Stream
from jober.run import Claim
from jober_worker.call import Options
from jober_worker.functions import Data
from jober_worker.log_folder import LogFolder, NoLog
from jober_worker.log_writer import LogWriter
from jober_worker.masking import SHORTEST, MaskedWriter, Masking
from jober_worker.records import about
from jober_worker.run_output import RunOutput

log = logging.getLogger(__name__)


class Recording:
    """`write` may be called by any thread; `end` once, when the program or function has ended.

    `masking` is for what else is told of the attempt.
    """

    def __init__(
        self,
        claim: Claim,
        options: Options,
        environment: Mapping[str, str],
        output: RunOutput,
        folder: LogFolder,
        host: str,
    ) -> None:
        self.masking = Masking(options.secret, environment)
        self._claim = claim
        self._options = options
        self._output = output
        self._folder = folder
        self._host = host
        self._lock = threading.Lock()
        self._file: LogWriter | None = None
        self._has_file = options.output == "file"
        self._masked = MaskedWriter(self.masking, self._keep) if self.masking else None
        for name in self.masking.too_short:
            told = f"jober: {name} is not masked: a secret has {SHORTEST} characters or more\n"
            self.write(Stream.STDERR, told.encode())

    def write(self, stream: Stream, data: Data) -> None:
        """Take in bytes; waits for the disk where they go to a file, never for Redis."""
        if self._options.output == "none":
            return
        if stream is Stream.STDERR and self._options.stderr == "merge":
            stream = Stream.STDOUT
        with self._turn():
            if self._masked:
                self._masked.write(stream, data)
            else:
                self._keep(stream, data)

    def end(self) -> None:
        """Nothing more comes: what was held back is passed on, the file is closed."""
        with self._lock:
            if self._masked:
                self._masked.end()
            self._has_file = False
            if self._file:
                self._file.end()

    def _turn(self) -> AbstractContextManager[object]:
        """Without masks and files, the output takes care of its threads itself."""
        return self._lock if self._masked or self._has_file else nullcontext()

    def _keep(self, stream: Stream, data: Data) -> None:
        """The same bytes to both, so that an offset in Redis is one in the file too; to the file
        last, so that what tells of its failure comes after all that it holds."""
        if self._has_file and self._file is None:
            self._open()
        self._output.write(stream, data)
        if self._has_file and self._file:
            self._file.write(stream, data)

    def _open(self) -> None:
        run, attempt = self._claim.id, self._claim.attempt
        now_ms = self._output.now_ms
        try:
            self._file = LogWriter(self._folder, run, attempt, self._failed, now_ms)
        except NoLog as error:
            self._failed(str(error))
            return
        self._output.in_file(attempt, self._host, str(self._file.path))
        self._file.start()

    def _failed(self, why: str) -> None:
        self._has_file = False
        told = "%s: its output is kept in no file from here on: %s"
        log.warning(told, self._claim.lease, why, extra=about(self._claim))
        told = f"jober: the output is kept in no file from here on: {why}\n"
        self._output.write(Stream.STDERR, told.encode())
