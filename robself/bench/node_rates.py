"""The node end to end (g): a process of its own, fed over DDS at several rates."""

from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from robself.bench.measurement import Measurement, Setup, Tell
from robself.demo.chain import graph_of_its_own, require_ros
from robself.demo.child_processes import ChildProcesses
from robself.errors import RobSelfError
from robself.rendering.recording import GUIDE_TOPIC, SOURCE_TOPIC, write_recording

FRAMES = 4
PATIENCE_SECONDS = 300.0  # for a rate, beyond the time that is sent for


def measure(setup: Setup, number: int, tell: Tell) -> Measurement:
    """How much longer a result takes than its own processing and one frame: the worst of the rates' p95.

    Raises:
        RobSelfError: no ROS 2 here, or a process failed.
    """
    reports = node_at_rates(setup, number, tell)
    ratios = [
        report["latency"]["p95"] / (report["processing"]["p95"] + 1 / report["rate"])
        for report in reports
        if report["latency"]
    ]
    faults = [f"no result at {report['rate']:g} Hz" for report in reports if not report["latency"]]
    faults += [
        f"results at {report['rate']:g} Hz out of order" for report in reports if not report["in_order"]
    ]
    return Measurement(max(ratios, default=math.nan), {"rates": reports}, faults[0] if faults else None)


def node_at_rates(setup: Setup, seed: int, tell: Tell) -> list[dict[str, Any]]:
    """The node with its defaults, sent the built-in recording's frames; for each rate what `robself_ros.rates` tells.

    Raises:
        RobSelfError: no ROS 2 here, or a process failed.
    """
    require_ros("(g)", "the node's extra")
    workload = setup.workload
    parameters = {
        "device": setup.device,
        "seed": seed,
        "factor": workload.node_factor,
        "budget.first_iterations": workload.node_iterations,
        "budget.iterations": workload.node_iterations,
    }
    with TemporaryDirectory(prefix="robself_bench_") as folder:
        recording = write_recording(Path(folder, "frames.mcap"), frames=FRAMES)
        environment = {**graph_of_its_own(folder), "OMP_NUM_THREADS": str(setup.threads)}
        with ChildProcesses(environment) as children:
            given = [text for name, value in parameters.items() for text in ("-p", f"{name}:={value}")]
            children.start(
                "node", Path(folder, "node.log"), "robself_ros.node", "--ros-args", *given, tells=False
            )
            children.start(
                "sender",
                Path(folder, "sender.log"),
                *("robself_ros.rates", str(recording), SOURCE_TOPIC, GUIDE_TOPIC),
                *("--rates", *map(str, workload.node_rates), "--linger", "3600"),
                *("--seconds", str(workload.node_seconds)),
            )
            reports = []
            for rate in workload.node_rates:
                event = children.next_event(PATIENCE_SECONDS + workload.node_seconds)
                if event is None:
                    raise RobSelfError(
                        f"no report on the node at {rate:g} Hz within {PATIENCE_SECONDS:.0f} s"
                    )
                reports.append(event.facts)
                tell(len(reports) / len(workload.node_rates))
            return reports
