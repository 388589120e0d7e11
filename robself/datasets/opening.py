"""A folder or file, opened as the dataset it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any

from robself.config import one_of
from robself.datasets.case import Case
from robself.datasets.cropping import central_crop
from robself.datasets.loader import Loader
from robself.datasets.middlebury import Middlebury
from robself.datasets.misalignment import Misalignment
from robself.datasets.options import Options
from robself.datasets.pairs import Pairs
from robself.datasets.realmissr import RealMisSR
from robself.datasets.recordings import Recording
from robself.datasets.tum import Tum
from robself.errors import ConfigError, DatasetError

# In the order in which a folder is tried.
LOADERS: dict[str, type[Loader]] = {
    "recording": Recording,
    "realmissr": RealMisSR,
    "tum": Tum,
    "middlebury": Middlebury,
    "pairs": Pairs,
}
OF_ALL_LOADERS = {"protocol", "crop", "limit", "only"}


@dataclass(frozen=True)
class Dataset:
    """Named cases, read when they are asked for; it can be sent to other processes.

    Attributes:
        loader: name of what reads it. names: of its cases, in a fixed order.
        facts: what there is to know of it to open it again, for a run's configuration.
    """

    loader: str
    names: list[str]
    facts: dict[str, Any]
    reader: Loader
    crop: tuple[int, int] | None = None

    def load(self, name: str) -> Case:
        """Read, or made, anew each time.

        Raises:
            DatasetError: an unknown name, or files that do not fit together.
            InputError, RecordingError: a file that is missing or damaged.
        """
        if name not in self.names:
            raise DatasetError(f"{self.facts['path']}: no case {name!r} among {len(self.names)}")
        case = _checked(self.reader.load(name))
        return central_crop(case, self.crop) if self.crop else case


def open_dataset(path: str | Path, *, loader: str | None = None, **options: Any) -> Dataset:
    """Open a dataset.

    Args:
        path: its folder, or a recording's file. loader: one of `LOADERS`; None: guessed from the content.
        options: see `robself.datasets.options.Options`.

    Raises:
        DatasetError: a path that is not there, that no loader knows, or that has no case as asked for.
        ConfigError: an unknown loader, or options out of range or not for this loader.
        RecordingError: a bag that cannot be read, or lacks a topic.
    """
    path, wanted = Path(path), Options(**options)
    if not path.exists():
        raise DatasetError(f"{path}: no such folder or file")
    name = loader or _guessed(path)
    one_of("loader", name, LOADERS)
    kind = LOADERS[name]
    wanted = _fitting(wanted, name, kind)
    reader = kind(path, wanted)
    matching = (case for case in reader.names() if wanted.only is None or fnmatchcase(case, wanted.only))
    names = list(islice(matching, wanted.limit))
    if not names:
        pattern = "" if wanted.only is None else f" that matches {wanted.only!r}"
        raise DatasetError(f"{path}: has no case{pattern}, expected {kind.LAYOUT}")
    return Dataset(name, names, _facts(path, name, wanted), reader, wanted.crop)


def _guessed(path: Path) -> str:
    for name, kind in LOADERS.items():
        if kind.fits(path):
            return name
    looked_for = "; ".join(f"{kind.LAYOUT} ({name})" for name, kind in LOADERS.items())
    raise DatasetError(f"{path}: no dataset that is known, looked for {looked_for}")


def _fitting(options: Options, name: str, kind: type[Loader]) -> Options:
    """The options with a protocol, if they are all for this loader."""
    protocol = options.protocol or kind.PROTOCOLS[0]
    if protocol not in kind.PROTOCOLS:
        raise ConfigError(f"protocol: {protocol!r}, but {name} takes {' or '.join(kind.PROTOCOLS)}")
    for field in fields(options):
        value = getattr(options, field.name)
        if value != field.default and field.name not in kind.TAKES | OF_ALL_LOADERS:
            raise ConfigError(f"{field.name}: {value!r} means nothing to {name} data")
    return replace(options, protocol=protocol)


def _facts(path: Path, loader: str, options: Options) -> dict[str, Any]:
    """Of the options, those that were not left alone; of task1 also what it did."""
    facts: dict[str, Any] = {"path": str(path.resolve()), "loader": loader}
    defaults = {field.name: field.default for field in fields(options)}
    facts |= {key: value for key, value in asdict(options).items() if value != defaults[key]}
    if options.protocol != "pairs":
        facts["scale"] = options.factor
    if options.protocol == "task1":
        facts["misaligned"] = options.misaligned
        if options.misaligned:
            movement = Misalignment(options.translation_px, options.rotation_degrees)
            facts["misalignment"] = movement.facts()
    return facts


def _checked(case: Case) -> Case:
    """Whether a truth is on the guide's grid, without which no error can be computed."""
    if case.truth is not None and case.truth.shape != case.guide.shape[:2]:
        truth, guide = case.truth.shape, case.guide.shape
        raise DatasetError(
            f"{case.name}: truth {truth[1]}x{truth[0]}, guide {guide[1]}x{guide[0]}, expected the same size"
        )
    return case
