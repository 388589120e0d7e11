"""Files that are complete under their name, or not there."""

from __future__ import annotations

import os
from pathlib import Path

from robself.errors import OutputError


def write_file(path: str | Path, data: bytes) -> None:
    """Writes under a temporary name beside the file's own, which it then takes; replaces what was there.

    Raises:
        OutputError: no such folder, no permission, a full disk.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            partial.write_bytes(data)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def inside(folder: Path, *names: str) -> Path:
    """A path below a folder, by names that come from data.

    Raises:
        OutputError: names that lead out of it.
    """
    path = folder.joinpath(*names)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise OutputError(f"{path}: leads out of {folder}, expected a name inside it")
    return path


def check_place(path: str | Path) -> None:
    """Whether `write_file` may succeed, to be asked before long work.

    Raises:
        OutputError: no such folder, no permission, or a folder of that name.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise OutputError(f"{path}: cannot be written: there is no folder {path.parent}")
    if path.is_dir():
        raise OutputError(f"{path}: cannot be written: it is a folder, expected a file name")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: cannot be written: no permission to write in {path.parent}")
