"""How much memory a piece of work took at its highest."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType
from typing import ClassVar

PROCESS = Path("/proc/self")
CUDA, GROWTH = "CUDA tensors", "growth of the process's resident memory"
RESIDENT = "resident memory of the whole process"


class PeakMemory:
    """Measures the block that it is entered for; such blocks may lie in one another.

    Args:
        device: the CUDA device that is looked at; None: torch's current one.

    Attributes:
        bytes: torch's highest allocation if the block used CUDA; else by how much the process's resident memory
            grew at its highest, in which memory that an earlier block left to be reused does not show, so it is
            a lower bound. None: this system does not tell (it is read from Linux's /proc).
        kind: which of both; None with `bytes`.
        resident: the highest resident memory of the process in bytes, its libraries included; None as above.
    """

    _open: ClassVar[list[PeakMemory]] = []
    bytes: int | None = None
    kind: str | None = None
    resident: int | None = None

    def __init__(self, device: object = None) -> None:
        self._device = device

    def __enter__(self) -> PeakMemory:
        for outer in self._open:  # what follows sets the peaks back
            outer._look()
        self._allocated = 0
        self._before = _resident("VmRSS") if _forget_peak() else None
        if cuda := _cuda():
            cuda.reset_peak_memory_stats(self._device)
        self._open.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.remove(self)
        self._look()
        if self._allocated:
            self.bytes, self.kind = self._allocated, CUDA
        elif self._before is not None and self.resident is not None:
            self.bytes, self.kind = max(0, self.resident - self._before), GROWTH

    def _look(self) -> None:
        """Keep the peaks so far."""
        if (peak := _resident("VmHWM")) is not None:
            self.resident = max(peak, self.resident or 0)
        if cuda := _cuda():
            self._allocated = max(self._allocated, cuda.max_memory_allocated(self._device))


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
    """A field of /proc/self/status in bytes; None where there is none."""
    try:
        status = (PROCESS / "status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    return None
