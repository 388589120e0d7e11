"""The folder of an evaluation.

config.yaml     what was asked for, of which data, with which versions
results.jsonl   the runs as they were finished
predictions/    METHOD/CASE__seed0.npz: sr, and displacement and aligned_guide where the method has them
inputs/         CASE.npz: source, guide, truth; modality and unit, which are texts
metrics.json    all of it but the images, at the end
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from robself.datasets import Case
from robself.errors import EvaluationError, OutputError
from robself.evaluation.options import EvaluationOptions
from robself.evaluation.report.results import Results, Run
from robself.evaluation.summary import summarise
from robself.evaluation.tasks import Task
from robself.evaluation.work import Outcome
from robself.file_writing import inside, write_file
from robself.journal import Journal
from robself.json_text import json_text

CONFIG, JOURNAL, METRICS = "config.yaml", "results.jsonl", "metrics.json"
HEADING = "# What `robself eval` ran; the same command with --resume goes on with it.\n"


class ResultFolder:
    """Keeps what comes of an evaluation; to be entered for as long as it is written to.

    Args:
        path: made if need be. keep_images: whether predictions and inputs are written.

    Attributes:
        records: of the tasks that have been done.
    """

    def __init__(self, path: Path, keep_images: bool) -> None:
        self.path = path
        self._keep_images = keep_images
        self._config: dict[str, Any] = {}
        self.records: dict[Task, dict[str, Any]] = {}

    def read_config(self) -> dict[str, Any] | None:
        """What `config.yaml` holds: "options", "datasets", "versions", "machine"; None: there are no results.

        Raises:
            EvaluationError: a file that holds something else, or results without it.
            OutputError: a file in the folder's place.
        """
        path, journal = self.path / CONFIG, self.path / JOURNAL
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(f"{self.path}: is a file, expected a folder")
        if not (journal.exists() and journal.stat().st_size):
            return None  # it ended before its first result: there is nothing to be mixed with
        try:
            config = yaml.safe_load(path.read_text(encoding="utf-8"))
            EvaluationOptions.from_plain(config["options"])
            return config
        except FileNotFoundError:
            raise EvaluationError(f"{self.path}: holds {JOURNAL} without its {CONFIG}") from None
        except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
            raise EvaluationError(f"{path}: not what an evaluation writes: {error!r}") from None

    def open(self, config: dict[str, Any]) -> None:
        """Writes what will be run, and reads what has been; what failed will be run again.

        Raises:
            OutputError: a folder that cannot be written to. EvaluationError: a damaged journal.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be made: {error.strerror}") from error
        self._journal = Journal(self.path / JOURNAL)
        try:
            done = [record for record in self._journal.read() if record["error"] is None]
            write_file(
                self.path / CONFIG, (HEADING + yaml.safe_dump(config, sort_keys=False)).encode("utf-8")
            )
        except BaseException:
            self._journal.close()
            raise
        self._config = config
        self.records = {Task.of(record): record for record in done}

    def close(self) -> None:
        self._journal.close()

    def add_case(self, case: Case, suffix: str) -> None:
        """Keeps a case's images, for pictures."""
        path = inside(self.path / "inputs", f"{case.name}{suffix}.npz")
        if self._keep_images and not path.exists():
            truth = {} if case.truth is None else {"truth": case.truth}
            shown_as = {"modality": np.array(case.modality), "unit": np.array(case.unit)}
            _write_images(path, {"source": case.source, "guide": case.guide, **truth, **shown_as})

    def add(self, task: Task, outcome: Outcome) -> None:
        """Keeps what came of a task; it is on the disk when this returns.

        Raises:
            OutputError: a full disk.
        """
        prediction = None
        if outcome.images and self._keep_images:
            name = f"{task.case}__seed{task.seed}{task.setting.suffix}.npz"
            path = inside(self.path / "predictions", task.method, name)
            prediction = path.relative_to(self.path)
            _write_images(path, outcome.images)
        record = outcome.record | {"prediction": prediction and prediction.as_posix()}
        self.records[task] = self._journal.add(record)

    def settle(self) -> None:
        """After an interruption, which may have come between the journal and `records`: what the journal holds."""
        self.records = {Task.of(record): record for record in self._journal.read()}

    def write_metrics(self, order: Iterable[Task]) -> dict[str, Any]:
        """Writes `metrics.json` and returns what it holds: the runs in this order, not in which they ended."""
        config = self._config
        facts = {"config": config["options"], "versions": config["versions"], "machine": config["machine"]}
        runs = [self.records[task] for task in order if task in self.records]
        results = Results(
            self.path,
            tuple(map(Run.model_validate, runs)),
            tuple(config["options"]["methods"]),
            *facts.values(),
        )
        metrics = {**facts, "datasets": config["datasets"], "runs": runs, "summary": summarise(results)}
        write_file(self.path / METRICS, json_text(metrics, indent=1).encode())
        return metrics


def _write_images(path: Path, images: dict[str, np.ndarray]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path.parent}: cannot be made: {error.strerror}") from error
    content = io.BytesIO()
    np.savez_compressed(content, **images)
    write_file(path, content.getvalue())
