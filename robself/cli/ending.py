"""How the command line's process ends: soon, whatever it is at."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)  # Ctrl-C, and what a batch system ends a program by
INTERRUPTED, STDERR = 130, 2
AGAIN_SECONDS = 0.01
TORCH = ("torch", "torch._dynamo")  # the second, as long to import, comes with the first module that needs it


def heed_signals() -> None:
    """Let SIGTERM, too, raise KeyboardInterrupt: it loses as little as Ctrl-C does."""
    for number in SIGNALS:
        signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Raises KeyboardInterrupt where that can be raised, which is not where a module is being imported.

    C++ may be its caller there and aborts the process, and a class makes a RuntimeError of it. Before torch has
    been imported nothing is under way: the process ends at once. Any other import is waited for, until a second
    signal comes.
    """
    if _torch_is_being_imported():
        try:
            os.write(STDERR, b"robself: interrupted\n")
        finally:  # also if nobody listens
            os._exit(INTERRUPTED)
    waited, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    if _is_importing(frame) and not waited:
        signal.signal(signal.SIGALRM, _interrupt)
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
    else:
        raise KeyboardInterrupt


def _torch_is_being_imported() -> bool:
    specs = (getattr(sys.modules.get(name), "__spec__", None) for name in TORCH)
    return any(getattr(spec, "_initializing", False) for spec in specs)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_filename != "<frozen importlib._bootstrap>":
        frame = frame.f_back
    return frame is not None


def end(code: int) -> None:
    """Ends the process with this exit code; what it had to say is written.

    The interpreter is not taken down: with torch loaded that takes a second and more, in which no signal is heeded.
    """
    for number in (*SIGNALS, signal.SIGALRM):  # all is written: there is nothing left to interrupt
        signal.signal(number, signal.SIG_IGN)
    atexit._run_exitfuncs()  # as multiprocessing ends its processes: what libraries have begun, they end
    os._exit(code)
