"""How often a task is tried whose process or machine is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from robself.evaluation.tasks import Task
from robself.evaluation.work import Job, Outcome, failure

MOST = 3


class Attempts:
    """Counts the attempts at tasks, and tells of every one that is lost.

    A method that raises has had its answer (`perform`); this is about what happens to it from outside: a killed
    process, memory that ran out, a machine that went away.

    Args:
        say: takes a line that the user should see.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lost: Counter[Task] = Counter()

    def lost(self, job: Job, cause: str) -> Outcome | None:
        """To be called when an attempt is lost. None: try again; else what to report."""
        task = job.task
        self._lost[task] += 1
        attempt = f"{task.name}: attempt {self._lost[task]} of {MOST} lost: {cause}"
        if self._lost[task] < MOST:
            self._say(f"{attempt}; trying again")
            return None
        return failure(task, attempt, job.case.group)

    def counted(self, outcome: Outcome, task: Task) -> Outcome:
        """The outcome, its record saying how many attempts it took if not one."""
        if not self._lost[task]:
            return outcome
        return replace(outcome, record=outcome.record | {"attempts": min(self._lost[task] + 1, MOST)})
