"""NumPy's files from elsewhere: how large their arrays are, asked before memory is taken, and what reading raises."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from robself.image_size import check_array_size

MARK = np.lib.format.MAGIC_PREFIX
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
# What a damaged archive, or one of an unknown compression, may end in; an encrypted one in a RuntimeError.
ARCHIVE_ERRORS = (
    *(OSError, ValueError, EOFError, zipfile.BadZipFile),
    *(zlib.error, NotImplementedError, RuntimeError),
)


def check_npy(file: IO[bytes], what: str) -> None:
    """Whether the array of a `.npy` file may be read; the file is left behind its header.

    Raises:
        InputError: see `check_array_size`. ValueError: no such file, or a damaged one.
    """
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f"version {version} of .npy, expected one of {', '.join(map(str, HEADERS))}")
    shape, _, dtype = HEADERS[version](file)
    check_array_size(shape, dtype.itemsize, what)


@contextmanager
def open_npz(path: str | Path) -> Iterator[np.lib.npyio.NpzFile]:
    """A `.npz` archive, whose arrays may all be read.

    Raises:
        InputError: one that is too large. ARCHIVE_ERRORS: no archive, or a damaged one.
    """
    _check_npz(path)
    with np.load(path, allow_pickle=False) as archive:
        yield archive


def _check_npz(path: str | Path) -> None:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as file:
                array = file.peek(len(MARK)).startswith(MARK)  # whatever its name: numpy asks for no more
                if array:
                    check_npy(file, entry.filename)
            if not array:
                check_array_size((entry.file_size,), 1, entry.filename)
