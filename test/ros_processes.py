"""Starts the project's programs as a user does, and reads what they tell."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from robself_ros import dds

PATIENCE_SECONDS = 60


class Program:
    """`python -m robself_ros.<name>` with its arguments; its log goes to `<folder>/<name>.log`."""

    def __init__(self, folder: Path, name: str, *arguments: object) -> None:
        self.log = folder / f"{name}.log"
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"robself_ros.{name}", *map(str, arguments)],
                env={**os.environ, **dds.environment()},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def tells(self) -> dict:
        """The next line of JSON from its stdout."""
        return json.loads(self._process.stdout.readline())

    def ends(self) -> int:
        """Waits; its exit code."""
        self._process.communicate(timeout=PATIENCE_SECONDS)
        return self._process.returncode

    def stop(self, number: int = signal.SIGINT) -> int:
        """Sends a signal; its exit code."""
        self._process.send_signal(number)
        return self.ends()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.stdout.close()
        self._process.wait()
