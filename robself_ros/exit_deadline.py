"""The end of a process that nothing can hold up.

DDS now and then deadlocks when entities go while others are still being discovered, and rclpy destroys them
holding the interpreter's lock: no Python code runs any more, `os._exit` neither. A timer of the C library does
not need the interpreter.
"""

from __future__ import annotations

import ctypes
import os
import time

SIGEV_THREAD = 2


class _SignalEvent(ctypes.Structure):  # struct sigevent, 64 bytes
    _fields_ = (
        ("value", ctypes.c_int64),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("attributes", ctypes.c_void_p),
        ("rest", ctypes.c_char * 32),
    )


class _TimerSetting(ctypes.Structure):  # struct itimerspec
    _fields_ = tuple((name, ctypes.c_long) for name in ("every_s", "every_ns", "first_s", "first_ns"))


def exit_after(seconds: float, code: int) -> None:
    """End the process with this exit code in `seconds`, unless it has ended by then.

    Raises:
        OSError: the system has no timer left.
    """
    library = ctypes.CDLL(None, use_errno=True)
    event = _SignalEvent(code, 0, SIGEV_THREAD, ctypes.cast(library._exit, ctypes.c_void_p).value)
    timer = ctypes.c_void_p()
    setting = _TimerSetting(0, 0, int(seconds), int(seconds % 1 * 1e9))
    if library.timer_create(time.CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)) or (
        library.timer_settime(timer, 0, ctypes.byref(setting), None)
    ):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
