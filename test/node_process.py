"""The node as a process of its own, in a ROS graph of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ros_domain import fresh_domain

from robself.process_state import dds_shared_memory
from robself_ros import dds
from robself_ros.launching import Plan

PATIENCE_SECONDS = 150.0
SMALL_BUDGET = {"budget.first_iterations": 3, "budget.iterations": 1}


class NodeProcess:
    """`python -m robself_ros.node` with parameters and remappings; what it says is kept in a file.

    Attributes:
        domain: its ROS_DOMAIN_ID. process: itself.
    """

    def __init__(
        self,
        folder: Path,
        parameters: Mapping[str, object] | None = None,
        *arguments: str,
        domain: int | None = None,
        profile: bool = True,
        program: tuple[str, ...] = ("-m", "robself_ros.node"),
    ) -> None:
        self.domain = domain or fresh_domain()
        self._log = folder / f"node-{time.monotonic_ns()}.log"
        given = {**SMALL_BUDGET, **(parameters or {})}
        options = [text for name, value in given.items() for text in ("-p", f"{name}:={_yaml(value)}")]
        environment = {
            **os.environ,
            **(dds.environment({}) if profile else dict.fromkeys(dds.PROFILE_VARIABLES, "")),
            "ROS_DOMAIN_ID": str(self.domain),
            "OMP_NUM_THREADS": "1",
        }
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, *program, "--ros-args", *options, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        """All of its log so far."""
        return self._log.read_text()

    def wait_until_it_says(self, text: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.said:
            assert self.process.poll() is None, f"the node ended: {self.said}"
            assert time.monotonic() < deadline, f"{text!r} was not said: {self.said}"
            time.sleep(0.02)

    def wait_until_active(self) -> NodeProcess:
        try:
            self.wait_until_it_says("computing on")
        except BaseException:  # the with statement that would end it is not entered
            self.process.kill()
            raise
        return self

    def shared_memory(self) -> set[Path]:
        """Its own segments of Fast DDS, which go when it goes; a port stays while anybody else writes to it."""
        return {file for file in dds_shared_memory(self.process.pid) if "_port" not in file.name}

    def ends(self) -> int:
        """Waits; its exit code."""
        return self.process.wait(PATIENCE_SECONDS)

    def stop(self, *numbers: int) -> tuple[int, float]:
        """Sends signals, SIGINT by default; its exit code and the seconds until it had ended."""
        begin = time.monotonic()
        for number in numbers or (signal.SIGINT,):
            self.process.send_signal(number)
        return self.ends(), time.monotonic() - begin

    def __enter__(self) -> NodeProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()


def as_launched(launch: Plan) -> list[str]:
    """The node's arguments, as its launch file would give them."""
    file, _ = launch.parameters
    remappings = [word for one, other in launch.remappings for word in ("-r", f"{one}:={other}")]
    return ["--params-file", str(file), *remappings]


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
