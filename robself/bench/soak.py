"""The node under thousands of pairs: whether what it holds stays the same, and what it leaves behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from robself.demo.chain import graph_of_its_own, require_ros
from robself.demo.child_processes import ChildProcesses, ended_by_signals
from robself.errors import ConfigError, RobSelfError
from robself.process_state import ProcessState, all_dds_shared_memory, dds_shared_memory, left_behind

# A tenth of the pairs are optimised, one iteration each, and the others tracked.
PARAMETERS = {"keyframe.every_n": 10, "budget.first_iterations": 3, "budget.iterations": 1}
SAMPLES = 400
RSS_SHARE = 0.02
READY_SECONDS = 300.0  # for the first result: torch may come from a slow disk


def soak(
    pairs: int, minutes: float | None = None, tell: Callable[[int], None] = lambda sent: None
) -> dict[str, Any]:
    """Sends small pairs (16x12 and 32x24 px) over DDS to a node of its own, each when the last has come back.

    Args:
        pairs: how many, 8 at least. minutes: end sooner, after so many; None: do not.
        tell: told how many have been sent.

    Returns:
        pairs, results, seconds, settings; samples: `ProcessState` of the node over time, with `sent` and `seconds`;
        quarters: of every number the mean in each quarter of the samples; growth_per_1000_pairs: of rss and
        anonymous memory in bytes, the slope over the second half; left_behind: the node's files of DDS after its end;
        checks: what has to hold, by what it says; passed: whether all do.

    Raises:
        ConfigError: too few pairs. RobSelfError: no ROS 2 here, or a process failed.
    """
    if pairs < 8:
        raise ConfigError(f"pairs: {pairs}, expected at least 8")
    require_ros("the soak", "ROS 2")
    deadline = time.monotonic() + (60 * minutes if minutes else np.inf)
    every = max(1, pairs // SAMPLES)
    samples: list[dict[str, Any]] = []
    results, mapped, others = 0, set(), all_dds_shared_memory()
    with TemporaryDirectory(prefix="robself_soak_") as folder:
        environment = {**graph_of_its_own(folder), "OMP_NUM_THREADS": "1"}
        with ended_by_signals(), ChildProcesses(environment) as children:
            given = [text for name, value in PARAMETERS.items() for text in ("-p", f"{name}:={value}")]
            node = children.start(
                "node", Path(folder, "node.log"), "robself_ros.node", "--ros-args", *given, tells=False
            )
            children.start(
                "sender",
                Path(folder, "sender.log"),
                *("robself_ros.endurance", str(pairs), "--every", str(every)),
            )
            begin = time.monotonic()
            while not samples or (samples[-1]["sent"] < pairs and time.monotonic() < deadline):
                event = children.next_event(READY_SECONDS)
                if event is None:
                    raise RobSelfError(f"no result within {READY_SECONDS:.0f} s")
                state = ProcessState.of(node)
                mapped |= dds_shared_memory(node) - others  # a port may be one that a killed process has left
                sent, results = event.facts["sent"], event.facts["results"]
                samples.append({"sent": sent, "seconds": time.monotonic() - begin, **asdict(state)})
                tell(sent)
            children.stop("node")
    return judged(samples, results, sorted(left_behind(mapped)))


def judged(samples: list[dict[str, Any]], results: int, left: list[Path]) -> dict[str, Any]:
    """What `soak` returns, of the samples, the number of results that came and the files that were left behind."""
    sent = samples[-1]["sent"]
    names = [name for name in samples[0] if name not in ("sent", "seconds")]
    values = {name: np.array([sample[name] for sample in samples], float) for name in names}
    quarters = {name: np.array_split(series, 4) for name, series in values.items()}
    means = {name: [float(quarter.mean()) for quarter in each] for name, each in quarters.items()}
    # Medians, for a file that is read at the very moment of a sample is no growth.
    usual = {name: [float(np.median(quarter)) for quarter in each] for name, each in quarters.items()}
    difference = means["rss"][3] / means["rss"][1] - 1
    checks = {
        f"RSS of the last quarter within {100 * RSS_SHARE:g} % of the second's": abs(difference) <= RSS_SHARE,
        "no more threads than in the second quarter": usual["threads"][3] <= usual["threads"][1],
        "no more file descriptors than in the second quarter": usual["descriptors"][3]
        <= usual["descriptors"][1],
        "no DDS shared memory left behind": not left,
        "a result for every pair": results == sent,
    }
    half = len(samples) // 2
    thousands = [sample["sent"] / 1000 for sample in samples[half:]]
    return {
        "pairs": sent,
        "results": results,
        "seconds": samples[-1]["seconds"],
        "settings": PARAMETERS,
        "quarters": means,
        "growth_per_1000_pairs": {
            name: float(np.polyfit(thousands, values[name][half:], 1)[0]) for name in ("rss", "anonymous")
        },
        "left_behind": left,
        "checks": checks,
        "passed": all(checks.values()),
        "samples": samples,
    }
