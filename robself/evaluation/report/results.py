"""What an evaluation left in its folder, and its means."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from robself.errors import InputError
from robself.evaluation.tasks import Setting
from robself.metrics import Spread, spread

BICUBIC = "bicubic"


class Run(BaseModel):
    """One method on one case, with one seed, in one setting; `error` is why there are no scores."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    case: str
    method: str
    group: str = ""
    seed: int = 0
    setting: Setting = Setting()
    scores: dict[str, float | None] = {}
    seconds: float | None = None
    iterations: int | None = None
    peak_memory_bytes: int | None = None
    prediction: str | None = None
    info: dict[str, Any] | None = None
    error: str | None = None

    @property
    def fallback(self) -> bool:
        """Whether the method itself says that its estimate is bicubic's, for it found nothing better."""
        return bool((self.info or {}).get("fallback"))

    @field_validator("setting", mode="before")
    @classmethod
    def _setting(cls, given: Any) -> Any:
        return Setting(**given) if isinstance(given, dict) else given


@dataclass(frozen=True)
class Results:
    """All runs, and what they were made with.

    Attributes:
        methods: those that were asked for, in this order.
        datasets: what was read, an entry a setting.
    """

    folder: Path
    runs: tuple[Run, ...]
    methods: tuple[str, ...]
    config: dict[str, Any]
    versions: dict[str, Any]
    machine: dict[str, Any]
    datasets: tuple[dict[str, Any], ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Results:
        """From the folder's `metrics.json`.

        Raises:
            InputError: no such file, or it holds something else.
        """
        path = folder / "metrics.json"
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            runs = tuple(Run.model_validate(record) for record in content["runs"])
            facts = [dict(content.get(what) or {}) for what in ("config", "versions", "machine")]
            datasets = tuple(map(dict, content.get("datasets") or []))
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise InputError(f"{path}: a run's {where}: {first['input']!r}: {first['msg']}") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: not what an evaluation writes: {error!r}") from None
        asked_for = facts[0].get("methods") or []
        methods = tuple(dict.fromkeys([*asked_for, *(run.method for run in runs)]))
        return cls(folder, runs, methods, *facts, datasets)

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """Those there are, the protocol's own first; this one where there are no runs."""
        there = dict.fromkeys(run.setting for run in self.runs) or (Setting(),)
        return tuple(sorted(there, key=lambda setting: setting != Setting()))

    @cached_property
    def cases(self) -> tuple[str, ...]:
        """In the order of the runs."""
        return tuple(dict.fromkeys(run.case for run in self.runs))

    @cached_property
    def groups(self) -> dict[str, str]:
        """The group of every case."""
        return {run.case: run.group for run in self.runs}

    @cached_property
    def failures(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.error is not None)

    def of(self, method: str, setting: Setting, case: str | None = None) -> list[Run]:
        """The method's runs in a setting, failed ones included; of one case or of all."""
        return [run for run in self._by_method.get((method, setting), []) if case in (None, run.case)]

    def competes(self, method: str, setting: Setting, score: str) -> bool:
        """Whether the method has a score of every case of which any method has it, with each of its seeds.

        Who lacks the hard cases has a good mean.
        """
        cases = {case for other in self.methods for case in self._cases_with(other, setting, score)}
        runs = self.of(method, setting)
        done = {(run.case, run.seed) for run in runs if run.scores.get(score) is not None}
        return bool(done) and done >= {(case, run.seed) for case in cases for run in runs}

    def mean(
        self, method: str, setting: Setting, score: str, cases: Iterable[str] | None = None
    ) -> Spread | None:
        """A score's mean over the cases, then mean and deviation over the seeds; None: no run has the score.

        Args:
            cases: those to take the mean over; None: all that have the score.
        """
        wanted = None if cases is None else set(cases)
        by_seed: dict[int, list[float]] = {}
        for run in self.of(method, setting):
            value = run.scores.get(score)
            if value is not None and (wanted is None or run.case in wanted):
                by_seed.setdefault(run.seed, []).append(value)
        return spread(np.mean(values) for values in by_seed.values()) if by_seed else None

    def ratio(self, method: str, setting: Setting, score: str = "rmse") -> Spread | None:
        """The method's mean over bicubic's, over the cases that both have; None: no such case."""
        shared = self._cases_with(method, setting, score) & self._cases_with(BICUBIC, setting, score)
        mine = self.mean(method, setting, score, shared)
        floor = self.mean(BICUBIC, setting, score, shared)
        if mine is None or floor is None or not floor.mean:
            return None
        return Spread(mine.mean / floor.mean, mine.std / floor.mean)

    def seeds(self, method: str, setting: Setting) -> int:
        return len({run.seed for run in self.of(method, setting)})

    def _cases_with(self, method: str, setting: Setting, score: str) -> set[str]:
        return {run.case for run in self.of(method, setting) if run.scores.get(score) is not None}

    @cached_property
    def _by_method(self) -> dict[tuple[str, Setting], list[Run]]:
        found: dict[tuple[str, Setting], list[Run]] = {}
        for run in self.runs:
            found.setdefault((run.method, run.setting), []).append(run)
        return found


def setting_text(setting: Setting) -> str:
    """For people: "guide moved by 5 px"."""
    words = {"translation_px": "moved by {:g} px", "rotation_degrees": "rotated by {:g} degrees"}
    parts = [words[name].format(value) for name, value in setting.facts().items()]
    return "guide " + ", ".join(parts) if parts else "as the protocol has it"
