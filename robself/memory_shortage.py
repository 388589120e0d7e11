"""Too little memory: how torch, NumPy and OpenCV say so, and one second chance with less."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TypeVar

import cv2
import torch

from robself.errors import MemoryExhausted

Product = TypeVar("Product")
# Of torch for its devices and for the CPU, and of OpenCV.
TEXTS = ("out of memory", "not enough memory", "can't allocate memory", "insufficient memory")


def ran_out(error: Exception) -> bool:
    """Whether an error means that memory was asked for in vain."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, (RuntimeError, cv2.error)) and any(text in str(error).lower() for text in TEXTS)


def with_second_chance(run: Callable[[], Product], spare: Callable[[], None]) -> Product:
    """What `run` gives; where memory does not suffice: after `spare`, and with nothing left of the first try.

    Raises:
        MemoryExhausted: it did not suffice then either.
    """
    try:
        return run()
    except Exception as error:
        if not ran_out(error):
            raise
    # Not in the handler: there the error keeps alive what the first try had allocated.
    spare()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    try:
        return run()
    except Exception as error:
        if not ran_out(error):
            raise
        what = (str(error) or type(error).__name__).splitlines()[0]
        raise MemoryExhausted(f"not enough memory, in smaller tiles neither: {what}") from None
