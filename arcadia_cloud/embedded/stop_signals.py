"""Ctrl-C, SIGTERM and a closed terminal, answered between steps, so that nothing is left half-started."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType

from arcadia_cloud.embedded.errors import EmbeddedError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(EmbeddedError):
    """Somebody asked to stop before the work was done."""


class Interruption:
    """Remembers that somebody asked to stop; whoever waits asks it again and again."""

    def __init__(self) -> None:
        self.requested = False
        self._command: subprocess.Popen[bytes] | None = None
        for number in SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # ignored: nohup
                signal.signal(number, self._ask)

    def check(self) -> None:
        """Raise StoppedError if somebody asked."""
        if self.requested:
            raise StoppedError("stopped")

    def run(
        self, command: Sequence[str], environment: Mapping[str, str], *, stdout: int | None = None
    ) -> int:
        """Run a command to its end and return its exit status; when somebody asks to stop, interrupt it.

        Raises StoppedError in that case, once the command has ended.
        """
        self.check()
        self._command = subprocess.Popen(
            list(command), env=dict(environment), stdin=subprocess.DEVNULL, stdout=stdout, process_group=0
        )
        try:
            if self.requested:  # asked between the check and the start
                self._command.send_signal(signal.SIGINT)
            status = self._command.wait()
        finally:
            self._command = None
        self.check()
        return status

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True
        if self._command is not None:
            self._command.send_signal(signal.SIGINT)
