"""When a process heeds signals, and how much longer than alone it may take to end on a busy machine."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PATIENCE_SECONDS = 400.0


def wait_until_it_heeds(process: subprocess.Popen) -> None:
    """SIGTERM is handled or, by the node, blocked to be waited for: until then Python itself ends the process.

    A thread that waits for a signal does not block it meanwhile, the others do.
    """
    bit, deadline = 1 << signal.SIGTERM - 1, time.monotonic() + PATIENCE_SECONDS
    while not any(masks & bit for masks in heeded(process.pid)):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)


def heeded(pid: int) -> Iterator[int]:
    """Of each thread the signals that it blocks or catches, as bits."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it has ended
            fields = dict(line.split(":", 1) for line in (thread / "status").read_text().splitlines())
            yield int(fields["SigBlk"], 16) | int(fields["SigCgt"], 16)


def waiting_per_cpu() -> float:
    """By how much others slow this machine down: in the last minute, or at this moment."""
    running = int(Path("/proc/loadavg").read_text().split()[3].split("/")[0])
    return max(1.0, max(os.getloadavg()[0], running) / (os.cpu_count() or 1))
