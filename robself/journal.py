"""Records that are safe as soon as they are added: a line of JSON each, in one file."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from robself.errors import EvaluationError, OutputError
from robself.json_text import json_text


class Journal:
    """A file to append to, of one process at a time.

    Raises:
        OutputError: a file that cannot be written, or that another process is writing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("a+b")
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
        try:
            self._lock()
        except BaseException:
            self._file.close()
            raise

    def add(self, record: dict[str, Any]) -> dict[str, Any]:
        """Appends a record; it is on the disk when this returns. Returns it as it will be read.

        Raises:
            OutputError: a full disk.
        """
        line = json_text(record)
        try:
            self._file.write(line.encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written: {error.strerror}") from error
        return json.loads(line)

    def read(self) -> list[dict[str, Any]]:
        """All records. A last line that is not whole, as an interruption in the midst of it leaves, is dropped.

        Raises:
            EvaluationError: a file that holds something else.
        """
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        self._file.truncate(whole)
        records = []
        for number, line in enumerate(content[:whole].splitlines(), 1):
            try:
                records.append(json.loads(line))
            except ValueError as error:
                raise EvaluationError(f"{self.path}: line {number} is damaged: {error}") from None
        return records

    def clear(self) -> None:
        """Drops all records."""
        self._file.truncate(0)

    def close(self) -> None:
        self._file.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(f"{self.path}: another process is writing it, expected one at a time") from None
