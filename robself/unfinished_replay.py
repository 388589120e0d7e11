"""What a replay has done, until it has done all of it.

sr.unfinished/
  replay.jsonl  what was asked for; a second line once all pairs are done
  sr/sr.mcap    the results, whole up to the last pair
  before.mcap   those of the run that this one goes on with
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from robself.errors import ConfigError, OutputError
from robself.journal import Journal
from robself.output_topics import output_topics
from robself.recording import RecordingReader, SerializedMessage
from robself.recording.unfinished import complete


class EarlierResults:
    """The results of an interrupted run, to be taken in the order of their stamps."""

    def __init__(self, bag: Path | None = None) -> None:
        messages = RecordingReader(bag).serialized() if bag else ()
        self._groups = ((stamp, list(group)) for stamp, group in groupby(messages, lambda one: one.time_ns))
        self._next = next(self._groups, None)

    def take(self, stamp_ns: int) -> list[SerializedMessage]:
        """All that was written of that pair; empty if it has no result, or not all of it."""
        while self._next and self._next[0] < stamp_ns:
            self._next = next(self._groups, None)
        if not self._next or self._next[0] != stamp_ns:
            return []
        (_, found), self._next = self._next, next(self._groups, None)
        whole = any(message.topic == output_topics().status for message in found)  # written last
        return found if whole else []


class UnfinishedReplay:
    """The folder beside a replay's output.

    Args:
        output: the `.mcap` file that the replay is to write.
        asked: what its results depend on; fits into JSON.
    """

    def __init__(self, output: Path, asked: Mapping[str, Any]) -> None:
        self.folder = output.with_suffix(".unfinished")
        self._output, self._asked = output, dict(asked)
        self._part = self.folder / output.stem / output.name
        self._before = self.folder / "before.mcap"

    @contextmanager
    def held(self, resume: bool) -> Iterator[EarlierResults]:
        """Keeps the folder to this process; yields what an interrupted run has left, if that is to be gone on with.

        A folder without any result does not outlive the block.

        Raises:
            ConfigError: the interrupted run was asked for something else. EvaluationError: a damaged journal.
            OutputError: a folder that cannot be written to, or a replay that is finished.
        """
        if resume and self._output.exists() and not self.folder.exists():
            raise OutputError(f"{self._output}: is finished, expected no --resume, or another folder")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self._output}: cannot be written: {error.strerror}") from error
        with closing(Journal(self.folder / "replay.jsonl")) as self._journal:
            self._all_done = False
            try:
                yield EarlierResults(self._earlier_bag() if resume else self._start_anew())
            finally:
                if not (self._all_done or self._part.exists() or self._before.exists()):
                    self.remove()

    def all_done(self) -> None:
        """To be told before the output takes its name: from then on that is what a resumed run finds."""
        self._journal.add({"all_done": True})
        self._all_done = True

    def remove(self) -> None:
        """Once the output and its report are written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start_anew(self) -> None:
        shutil.rmtree(self._part.parent, ignore_errors=True)
        self._before.unlink(missing_ok=True)
        self._journal.clear()
        self._journal.add(self._asked)

    def _earlier_bag(self) -> Path | None:
        records = self._journal.read()
        if not records:
            return self._start_anew()
        self._check_same(records[0])
        self._all_done = len(records) > 1
        if self._part.exists() and complete(self._part):
            # What was killed while it copied the results before it may hold fewer.
            if not self._before.exists() or _results(self._part) >= _results(self._before):
                self._part.replace(self._before)
        elif self._all_done and not self._before.exists():
            return self._output
        shutil.rmtree(self._part.parent, ignore_errors=True)
        return self._before if self._before.exists() else None

    def _check_same(self, before: Mapping[str, Any]) -> None:
        for name, value in self._asked.items():
            if before.get(name) != value:
                raise ConfigError(
                    f"{self.folder}: holds results with {name} {before.get(name)!r}, got {value!r}, expected the "
                    "same to go on with them, or no --resume"
                )


def _results(bag: Path) -> int:
    status = RecordingReader(bag).topics.get(output_topics().status)
    return status.count if status else 0
