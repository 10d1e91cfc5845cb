"""Stop signals: Ctrl-C, SIGTERM and a closed terminal, handled between steps: nothing is half-started."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType

from arcadia_cloud.embedded.errors import EmbeddedError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(EmbeddedError):
    """A stop was requested before the work was done."""


class StopSignals:
    """The request to stop, if one came; code that waits checks it again and again."""

    def __init__(self) -> None:
        self.requested = False
        self._command: subprocess.Popen[bytes] | None = None
        for number in SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # ignored: nohup
                signal.signal(number, self._request_stop)

    def check(self) -> None:
        """Raise StoppedError if a stop was requested."""
        if self.requested:
            raise StoppedError("stopped")

    def run(
        self, command: Sequence[str], environment: Mapping[str, str], *, stdout: int | None = None
    ) -> int:
        """Run a command to its end and return its exit status; on a request to stop, interrupt it.

        Raises StoppedError in that case, once the command has ended.
        """
        self.check()
        self._command = subprocess.Popen(
            list(command), env=dict(environment), stdin=subprocess.DEVNULL, stdout=stdout, process_group=0
        )
        try:
            if self.requested:  # between the check and the start
                self._command.send_signal(signal.SIGINT)
            status = self._command.wait()
        finally:
            self._command = None
        self.check()
        return status

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True
        if self._command is not None:
            self._command.send_signal(signal.SIGINT)
