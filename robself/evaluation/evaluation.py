"""An evaluation from its options to its report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from robself.config import RobSelfConfig
from robself.datasets import Case
from robself.errors import EvaluationError, Interrupted, OutputError, RobSelfError
from robself.evaluation.machine import machine
from robself.evaluation.options import (
    EvaluationOptions,
    choose_methods,
    continued,
    default_preset,
    open_datasets,
)
from robself.evaluation.result_folder import ResultFolder
from robself.evaluation.tasks import Setting, Task, plan
from robself.evaluation.work import Job, Outcome, failure, perform
from robself.methods import Settings
from robself.methods.predictions import check_folder, prealigned
from robself.provenance import versions

Engine = Callable[[Iterable[Job], int], Iterator[Outcome]]  # of jobs, and how many there are at most


class Evaluation:
    """Methods to be run on a dataset.

    Args:
        options: what to run. output: see `robself.evaluation.result_folder`.
        resume: go on with what the folder holds: only what is missing or has failed is run.
        keep_images: whether predictions and inputs are written, without which the report has no pictures.
        say: takes a line that the user should see.

    Attributes:
        options: with everything decided that was left open. total: how many runs there are.

    Raises:
        OutputError: a folder that holds results without `resume`. EvaluationError: one that is damaged.
        DatasetError, ConfigError, InputError, RecordingError: what cannot be run.
    """

    def __init__(
        self,
        options: EvaluationOptions,
        output: str | Path,
        *,
        resume: bool = False,
        keep_images: bool = True,
        say: Callable[[str], None],
    ) -> None:
        self._say = say
        self._folder = ResultFolder(Path(output), keep_images)
        options = self._continued(options, resume)
        self._methods = choose_methods(options)
        self._datasets = open_datasets(options)
        preset = options.preset or default_preset(next(iter(self._datasets.values())).facts)
        RobSelfConfig.from_preset(preset, schedule=options.schedule)  # what is unknown is told now
        self.options = options = replace(options, preset=preset)
        if options.prealigned:
            check_folder("prealigned guides", Path(options.prealigned))
        names = {setting: dataset.names for setting, dataset in self._datasets.items()}
        self._tasks = list(plan(names, self._methods.values(), options.seeds))
        self.total = len(self._tasks)
        self._case = lru_cache(maxsize=2)(self._read_case)  # the tasks of a case are beside each other

    def run(self, engine: Engine, on_progress: Callable[[int, int, int], None]) -> dict[str, Any]:
        """Does what is to be done, and writes the results.

        Args:
            engine: does the jobs (`local_engine`, `ray_engine`).
            on_progress: called with the runs done, those among them that failed, and how many there are.

        Returns:
            The content of `metrics.json`: "config", "versions", "machine", "datasets", "runs" (records; see
            `robself.evaluation.work`) and "summary" (`robself.evaluation.summary`).

        Raises:
            Interrupted: Ctrl-C; what was finished is kept. OutputError: a folder that cannot be written to.
        """
        folder = self._folder
        folder.open(self._config())
        with closing(folder):
            try:
                self._run_missing(engine, on_progress)
            except KeyboardInterrupt:
                folder.settle()
                folder.write_metrics(self._tasks)
                raise Interrupted(
                    f"interrupted after {len(folder.records)} of {self.total} runs, which {folder.path} keeps; "
                    "the same command with --resume does the others"
                ) from None
            return folder.write_metrics(self._tasks)

    def _run_missing(self, engine: Engine, on_progress: Callable[[int, int, int], None]) -> None:
        records = self._folder.records
        missing = [task for task in self._tasks if task not in records]

        def take(task: Task, outcome: Outcome) -> None:
            self._folder.add(task, outcome)
            failed = sum(record["error"] is not None for record in records.values())
            on_progress(len(records), failed, self.total)

        on_progress(len(records), 0, self.total)
        # What only looks files up is done here: other machines need not have them.
        here = [task for task in missing if task.method in self.options.predictions]
        for job in self._jobs(here, take):
            take(job.task, perform(job))
        elsewhere = [task for task in missing if task.method not in self.options.predictions]
        if elsewhere:
            with closing(engine(self._jobs(elsewhere, take), len(elsewhere))) as outcomes:
                for outcome in outcomes:
                    take(Task.of(outcome.record), outcome)

    def _jobs(self, tasks: Iterable[Task], take: Callable[[Task, Outcome], None]) -> Iterator[Job]:
        """Tasks with their images; those of a case that cannot be read have failed."""
        for task in tasks:
            try:
                case = self._case(task.setting, task.case)
            except OutputError:
                raise
            except RobSelfError as error:
                take(task, failure(task, str(error)))
                continue
            settings = Settings(
                preset=self.options.preset,
                schedule=self.options.schedule,
                members=self.options.members,
                modality=case.modality,
                iterations=self.options.iterations,
                seed=task.seed,
                device=self.options.device,
                case=task.case,
            )
            yield Job(task, case, self._methods[task.method], settings)

    def _read_case(self, setting: Setting, name: str) -> Case:
        case = self._datasets[setting].load(name)
        if self.options.prealigned:
            case = prealigned(case, self.options.prealigned)
        self._folder.add_case(case, setting.suffix)
        return case

    def _continued(self, options: EvaluationOptions, resume: bool) -> EvaluationOptions:
        """The options with the methods named, together with what an earlier run was told."""
        options = replace(options, methods=tuple(choose_methods(options)))
        before = self._folder.read_config()
        if before is None:
            return options
        if not resume:
            raise OutputError(
                f"{self._folder.path}: holds results, expected --resume to go on with them, or another folder"
            )
        if before["versions"] != versions():
            self._say(f"earlier runs were made with other versions: {before['versions']}")
        earlier = EvaluationOptions.from_plain(before["options"])
        return continued(earlier, replace(options, preset=options.preset or earlier.preset))

    def _config(self) -> dict[str, Any]:
        return {
            "versions": versions(),
            "machine": machine(),
            "options": self.options.plain(),
            "methods": {name: method.describes for name, method in self._methods.items()},
            "datasets": [
                {"setting": setting.facts(), **dataset.facts, "cases": len(dataset.names)}
                for setting, dataset in self._datasets.items()
            ],
        }


def complain_of_failures(metrics: dict[str, Any]) -> None:
    """Raises EvaluationError: runs that failed, in one line."""
    failed = [run for run in metrics["runs"] if run["error"] is not None]
    if failed:
        first = failed[0]
        raise EvaluationError(
            f"{len(failed)} of {len(metrics['runs'])} runs failed, the first: {first['method']} on "
            f"{first['case']}: {first['error']}"
        )
