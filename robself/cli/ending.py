"""How the command line's process ends: soon, whatever it is at."""

from __future__ import annotations

import atexit
import os
import signal

SIGNALS = (signal.SIGINT, signal.SIGTERM)  # Ctrl-C, and what a batch system ends a program by


def heed_signals() -> None:
    """Let SIGTERM, too, raise KeyboardInterrupt: it loses as little as Ctrl-C does."""
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler)


def end(code: int) -> None:
    """Ends the process with this exit code; what it had to say is written.

    The interpreter is not taken down: with torch loaded that takes a second and more, in which no signal is heeded.
    """
    for number in SIGNALS:  # all is written: there is nothing left to interrupt
        signal.signal(number, signal.SIG_IGN)
    atexit._run_exitfuncs()  # as multiprocessing ends its processes: what libraries have begun, they end
    os._exit(code)
