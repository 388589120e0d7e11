"""What an evaluation is told, and which of it may change when it is gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any

from robself.config import PRESETS
from robself.datasets import Dataset, open_dataset
from robself.errors import ConfigError
from robself.evaluation.tasks import Setting, settings_of
from robself.methods import METHODS, Method
from robself.methods.predictions import predictions_method

# Of `EvaluationOptions`, what `open_dataset` takes beside the path.
READING = (
    "loader",
    "protocol",
    "scale",
    "misaligned",
    "crop",
    "limit",
    "only",
    "every",
    "group",
    "modality",
    "source_topic",
    "guide_topic",
    "truth_topic",
)


@dataclass(frozen=True)
class EvaluationOptions:
    """Everything that decides which runs there are and what comes of them.

    Attributes:
        dataset: path. loader ... truth_topic: see `robself.datasets.options.Options`.
        translations: px; rotations: degrees: a setting for each value instead of the protocol's own.
        methods: names; empty: all that do not learn, and RobSelf. seeds: of random methods, from 0.
        preset: of RobSelf; None: the protocol's at its scale. schedule, members, iterations, device: see
            `robself.methods.Settings`.
        predictions: folders of predictions made elsewhere, by the method's name.
        prealigned: folder of guides aligned elsewhere, which take the place of the dataset's.

    Raises:
        ConfigError: a value out of range.
    """

    dataset: str
    loader: str | None = None
    protocol: str | None = None
    scale: int | None = None
    misaligned: bool = True
    crop: tuple[int, int] | None = None
    limit: int | None = None
    only: str | None = None
    every: int = 1
    group: str | None = None
    modality: str | None = None
    source_topic: str | None = None
    guide_topic: str | None = None
    truth_topic: str | None = None
    translations: tuple[float, ...] = ()
    rotations: tuple[float, ...] = ()
    methods: tuple[str, ...] = ()
    seeds: int = 1
    preset: str | None = None
    schedule: str = "coarse_to_fine"
    members: int = 1
    iterations: int | None = None
    device: str = "auto"
    predictions: Mapping[str, str] = field(default_factory=dict)
    prealigned: str | None = None

    def __post_init__(self) -> None:
        for name in ("seeds", "members", "iterations"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name}: {value}, expected at least 1")

    def plain(self) -> dict[str, Any]:
        """As YAML and JSON have it."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> EvaluationOptions:
        """The other way round. Raises TypeError: a name it does not know."""
        return cls(
            **{name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}
        )


def open_datasets(options: EvaluationOptions) -> dict[Setting, Dataset]:
    """The dataset in each setting.

    Raises:
        DatasetError, ConfigError, RecordingError: see `open_dataset`.
    """
    reading = {name: getattr(options, name) for name in READING}
    return {
        setting: open_dataset(options.dataset, **reading, **setting.facts())
        for setting in settings_of(options.translations, options.rotations)
    }


def default_preset(facts: Mapping[str, Any]) -> str:
    """The preset that a dataset's protocol and scale name; `robot` for pairs as they are.

    Raises:
        ConfigError: the paper has no such task.
    """
    protocol, scale = facts.get("protocol", "pairs"), facts.get("scale")
    if protocol == "pairs":
        return "robot"
    if (name := f"{protocol}_x{scale}") not in PRESETS:
        raise ConfigError(
            f"preset: there is none of {protocol} at factor {scale}, expected one named: {', '.join(PRESETS)}"
        )
    return name


def choose_methods(options: EvaluationOptions) -> dict[str, Method]:
    """The methods by name, in the order they are run in: those asked for, then the predictions.

    Raises:
        ConfigError: an unknown name, or predictions under a name that is taken.
        InputError: a folder of predictions that is not there.
    """
    if taken := sorted(METHODS.keys() & options.predictions.keys()):
        raise ConfigError(f"predictions: {taken[0]!r} is a method of this package, expected another name")
    known = METHODS | {name: predictions_method(name, path) for name, path in options.predictions.items()}
    for name in options.methods:
        if name not in known:
            advice = "".join(f", did you mean {close}?" for close in get_close_matches(name, known, 1))
            raise ConfigError(f"methods: {name!r} is unknown{advice} (there are {', '.join(known)})")
    names = options.methods or default_methods()
    return {name: known[name] for name in (*names, *options.predictions)}


def default_methods() -> tuple[str, ...]:
    """Everything that takes no time, and RobSelf."""
    quick = (name for name, method in METHODS.items() if not method.learns)
    return (*quick, "robself_re", "robself_de")


def continued(before: EvaluationOptions, now: EvaluationOptions) -> EvaluationOptions:
    """The options of an evaluation that is gone on with: it may grow, but what it is made of stays.

    Growing: methods, seeds, limit, translations, rotations, predictions.

    Raises:
        ConfigError: an option that changes results differs.
    """
    grown = replace(
        now,
        methods=_union(before.methods, now.methods),
        translations=_union(before.translations, now.translations),
        rotations=_union(before.rotations, now.rotations),
        seeds=max(before.seeds, now.seeds),
        limit=None if None in (before.limit, now.limit) else max(before.limit, now.limit),
        predictions={**now.predictions, **before.predictions},
    )
    growing = {"methods", "translations", "rotations", "seeds", "limit", "predictions"}
    pairs = {
        option.name: (getattr(before, option.name), getattr(now, option.name))
        for option in fields(now)
        if option.name not in growing
    }
    for name in before.predictions.keys() & now.predictions.keys():
        pairs[f"predictions {name}"] = before.predictions[name], now.predictions[name]
    moved = bool(before.translations or before.rotations), bool(now.translations or now.rotations)
    pairs["translations or rotations given"] = moved
    for name, (was, is_now) in pairs.items():
        if was != is_now:
            raise ConfigError(
                f"resume: {name} was {was}, is {is_now}, expected what the results were made with"
            )
    return grown


def _union(before: tuple, now: tuple) -> tuple:
    return tuple(dict.fromkeys((*before, *now)))
