"""What an evaluation consists of: one task a case, method, seed and setting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from robself.methods import Method


class Setting(NamedTuple):
    """How the guide was moved; None: as the protocol says."""

    translation_px: float | None = None
    rotation_degrees: float | None = None

    def facts(self) -> dict[str, float]:
        """What differs from the protocol, by name."""
        return {name: value for name, value in self._asdict().items() if value is not None}

    @property
    def suffix(self) -> str:
        """Tells files of different settings apart; "" for the protocol's own."""
        units = {"translation_px": "translation_{:g}px", "rotation_degrees": "rotation_{:g}deg"}
        return "".join("__" + units[name].format(value) for name, value in self.facts().items())


class Task(NamedTuple):
    """One run: what names it among all others."""

    case: str
    method: str
    seed: int
    setting: Setting

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.method} on {self.case}{self.setting.suffix}, seed {self.seed}"

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Task:
        """The task that a record is of."""
        return cls(record["case"], record["method"], record["seed"], Setting(**record["setting"]))


def settings_of(translations: Sequence[float], rotations: Sequence[float]) -> list[Setting]:
    """A setting for each value; the protocol's own if there are none."""
    moved = [Setting(translation_px=px) for px in translations]
    turned = [Setting(rotation_degrees=degrees) for degrees in rotations]
    return [*moved, *turned] or [Setting()]


def plan(cases: Mapping[Setting, Sequence[str]], methods: Iterable[Method], seeds: int) -> Iterator[Task]:
    """All tasks: one seed after another, so that an interrupted run has whole ones, and a case's beside each other.

    A method that is not random is run once, as seed 0.

    Args:
        cases: names by setting.
    """
    methods = list(methods)
    for seed, (setting, names) in product(range(seeds), cases.items()):
        for case, method in product(names, methods):
            if method.random or seed == 0:
                yield Task(case, method.name, seed, setting)
