"""Freed memory kept for what comes next, for an iteration takes and frees the same images again and again.

The C library's default is to give large ones back to the system at once, which must clear every page anew: of an
iteration at 480x640 on a CPU that is two fifths of the time (docs/speed.md).
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# glibc's malloc.h
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -3, -4, -8
_MOST = 2**31 - 1
_KEEPING = {_MMAP_MAX: 0, _TRIM_THRESHOLD: _MOST}
# What glibc itself comes to, once it has seen images: it gives back what is larger than the former.
_BY_DEFAULT = {_MMAP_MAX: 65536, _MMAP_THRESHOLD: 2**25, _TRIM_THRESHOLD: 2**26}

_kept = False


def keep_memory() -> bool:
    """From now on, this process keeps the memory that it frees, up to 2 GiB, and all its threads share it.

    For a process of one's own; to be called before its threads begin. It then stays as large as its largest pair
    made it.

    Returns:
        Whether the C library is glibc, which alone can be told so.
    """
    global _kept
    # A thread's own memory ends at 64 MiB and is given back: all have the main one's.
    _kept = _set(_KEEPING | {_ARENA_MAX: 1})
    return _kept


def give_back() -> None:
    """What was kept until now goes back to the system: what the process grows by from here on is what it needs."""
    if trim := _of_glibc("malloc_trim"):
        trim(0)


@contextmanager
def memory_by_default() -> Iterator[None]:
    """For this block, the process gives back what it frees as the C library does by default."""
    if not _kept:
        yield
        return
    give_back()
    _set(_BY_DEFAULT)
    try:
        yield
    finally:
        _set(_KEEPING)


def _set(options: dict[int, int]) -> bool:
    set_option = _of_glibc("mallopt")
    if set_option is None:
        return False
    taken = [set_option(option, value) for option, value in options.items()]
    return all(taken)


def _of_glibc(name: str) -> Callable[..., int] | None:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
