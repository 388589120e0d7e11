"""How much memory a piece of work took at its highest."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType

PROCESS = Path("/proc/self")
CUDA, RESIDENT = "CUDA tensors", "growth of the process's resident memory"


class PeakMemory:
    """Measures the block that it is entered for.

    Attributes:
        bytes: torch's highest allocation if the block used CUDA; else by how much the process's resident memory
            grew at its highest, in which memory that an earlier block left to be reused does not show, so it is
            a lower bound. None: this system does not tell (it is read from Linux's /proc).
        kind: which of both; None with `bytes`.
    """

    bytes: int | None = None
    kind: str | None = None

    def __enter__(self) -> PeakMemory:
        self._before = _resident("VmRSS") if _forget_peak() else None
        if cuda := _cuda():
            cuda.reset_peak_memory_stats()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (cuda := _cuda()) and (allocated := cuda.max_memory_allocated()):
            self.bytes, self.kind = allocated, CUDA
        elif self._before is not None and (peak := _resident("VmHWM")) is not None:
            self.bytes, self.kind = max(0, peak - self._before), RESIDENT


def _cuda():
    """`torch.cuda` where something has used it in this process."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch and torch.cuda.is_initialized() else None


def _forget_peak() -> bool:
    """Sets the process's peak to what it holds now; whether the system can."""
    try:
        (PROCESS / "clear_refs").write_text("5")  # proc(5): resets VmHWM
    except OSError:
        return False
    return True


def _resident(field: str) -> int | None:
    """A field of /proc/self/status in bytes."""
    for line in (PROCESS / "status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    return None
