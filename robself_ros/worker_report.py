"""The worker's part of /diagnostics: whether its thread lives, and whether it gets on."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticStatus

from robself_ros.tally import Counts
from robself_ros.worker import Worker


def worker_report(worker: Worker, counts: Counts, last: Counts) -> tuple[bytes, str, dict[str, object]]:
    """Level, text and values.

    Args:
        last: the counts of the report before this one.
    """
    patience = worker.patience
    values = {
        "busy (s)": f"{patience.busy_seconds:.1f}",
        "deadline (s)": f"{patience.deadline_seconds:.1f}",
        "silent (s)": f"{patience.silent_seconds:.1f}",
        "silence allowed (s)": f"{patience.silence_seconds:.1f}",
        "restarts": counts.restarts,
        "given up": counts.hung,
    }
    return *_judged(worker, counts, last), values


def _judged(worker: Worker, counts: Counts, last: Counts) -> tuple[bytes, str]:
    patience = worker.patience
    if counts.restarts > last.restarts:
        return DiagnosticStatus.ERROR, f"{worker.ended}; another was started"
    if patience.hangs or counts.hung > last.hung:
        text = f"hangs: no sign of life for {patience.silent_seconds:.1f} s, its result will be thrown away"
        return DiagnosticStatus.ERROR, text
    if patience.late:
        text = (
            f"late: at one pair for {patience.busy_seconds:.1f} s, past its {patience.deadline_seconds:.1f} s"
        )
        return DiagnosticStatus.WARN, text
    return DiagnosticStatus.OK, "at work" if patience.busy_seconds else "waiting for a pair"
