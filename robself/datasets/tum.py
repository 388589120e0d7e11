"""A sequence of the TUM RGB-D benchmark: registered structured-light depth with holes, and colour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

from robself.datasets.case import Case
from robself.datasets.loader import Loader, measured
from robself.datasets.options import Options
from robself.datasets.task1 import Task1
from robself.errors import DatasetError
from robself.image_files import read_guide, read_source
from robself.pairing import ApproximateTimePairer

METRES = 1 / 5000  # of a depth PNG's counts, says the benchmark
SLOP_SECONDS = 0.02  # as its own associate.py
QUEUE_SIZE = 10


class Tum(Loader):
    """Truth: metres, NaN where the PNG has 0. Cases are named by the depth's stamp, its point an underscore."""

    LAYOUT = "rgb.txt with depth.txt, or folders rgb and depth of SECONDS.png"
    PROTOCOLS = ("task1",)
    TAKES = frozenset({"scale", "misaligned", "translation_px", "rotation_degrees", "every"})

    def __init__(self, path: Path, options: Options) -> None:
        self._task = Task1.of(options)
        pairs = list(_pairs(_images(path, "depth"), _images(path, "rgb")))
        if not pairs:
            raise DatasetError(f"{path}: no depth image has a colour image within {SLOP_SECONDS} s")
        self._pairs = {depth.stem.replace(".", "_"): (depth, rgb) for depth, rgb in pairs[:: options.every]}

    @staticmethod
    def fits(path: Path) -> bool:
        return all((path / f"{kind}.txt").is_file() or (path / kind).is_dir() for kind in ("rgb", "depth"))

    def names(self) -> Iterable[str]:
        return self._pairs

    def load(self, name: str) -> Case:
        depth, rgb = self._pairs[name]
        truth = measured(read_source(depth), "depth", METRES)
        return self._task.case(name, truth, read_guide(rgb), unit="m")


def _images(path: Path, kind: str) -> list[tuple[int, Path]]:
    """(stamp in ns, file) of each image, in the order of the stamps."""
    listing = path / f"{kind}.txt"
    if listing.is_file():
        lines = (line.split() for line in listing.read_text(encoding="utf-8").splitlines())
        entries = [(words[0], path / words[-1]) for words in lines if words and words[0][0] != "#"]
    else:
        entries = [(file.stem, file) for file in (path / kind).glob("*.png")]
    try:
        return sorted((int(Decimal(stamp) * 10**9), file) for stamp, file in entries)
    except InvalidOperation as error:
        where = listing if listing.is_file() else path / kind
        raise DatasetError(f"{where}: an entry is not named by a time in seconds") from error


def _pairs(depth: list[tuple[int, Path]], rgb: list[tuple[int, Path]]) -> Iterator[tuple[Path, Path]]:
    pairer: ApproximateTimePairer[Path, Path] = ApproximateTimePairer(SLOP_SECONDS, QUEUE_SIZE)
    arrivals = [(stamp, pairer.add_source, file) for stamp, file in depth]
    arrivals += [(stamp, pairer.add_guide, file) for stamp, file in rgb]
    for stamp, add, file in sorted(arrivals, key=lambda arrival: arrival[0]):
        if matched := add(stamp, file):
            yield matched
