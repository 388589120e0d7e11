"""The whole chain over DDS: a recording is played into the running node, and what it publishes is judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robself.errors import ConfigError, OutputError
from robself.file_writing import check_place

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Demo", "run_demo"]
REPORT, METRICS, RESULT, RENDERED, NODE_LOG = (
    "report.html",
    "metrics.json",
    "sr.mcap",
    "recording.mcap",
    "node.log",
)


@dataclass(frozen=True)
class Demo:
    """What a demo left: the absolute path of its report, and the content of its `metrics.json`."""

    report: Path
    metrics: dict[str, Any]

    def table(self) -> Table:
        """Pairs, latency and errors, to print."""
        from rich.table import Table

        summary = self.metrics["summary"]
        pairs, latency, rmse, unit = (summary[key] for key in ("pairs", "latency_seconds", "rmse", "unit"))
        table = Table(title=f"The node on {summary['device']}", show_header=False)
        table.add_column()
        table.add_column(justify="right")
        table.add_row("pairs in", str(pairs["in"]))
        table.add_row("pairs used", str(pairs["used"]))
        table.add_row("pairs dropped", str(sum(pairs["dropped"].values())))
        for cause, count in pairs["dropped"].items():
            table.add_row(f"  {cause}", str(count))
        for share in ("p50", "p95"):
            table.add_row(f"latency {share}", f"{latency[share]:.2f} s")
        if rmse:
            table.add_row("RMSE bicubic", f"{rmse['bicubic']['mean']:.4g} {unit}")
            table.add_row("RMSE RobSelf", f"{rmse['sr']['mean']:.4g} {unit}")
            table.add_row("RobSelf / bicubic", f"{rmse['ratio']:.3f}")
        return table


def run_demo(
    output: str | Path = "demo_output",
    *,
    bag: str | Path | None = None,
    source_topic: str | None = None,
    guide_topic: str | None = None,
    gt_topic: str | None = None,
    frames: int = 20,
    period_seconds: float | None = None,
    rate: float = 1.0,
    device: str = "auto",
    iterations: int = 0,
) -> Demo:
    """Plays a recording into `robself_ros.node` over DDS, records what it publishes, and writes a report.

    Shows its progress on stderr and prints nothing else.

    Args:
        output: a folder, made if need be; holds `report.html`, `metrics.json`, `sr.mcap`, `node.log` and, if
            it was rendered, `recording.mcap` afterwards. Those are replaced, nothing else is touched.
        bag: the user's own recording; None: the built-in one is rendered.
        source_topic, guide_topic: its images. gt_topic: the truth, where it has one.
        frames: of the built-in recording. period_seconds: between them; None: what suits the device.
        rate: how fast to play, 1: as it was recorded. Latencies are in the recording's seconds.
        device: "auto", "cpu", "cuda", "cuda:1"...
        iterations: for every keyframe at most; 0: what the budgets in seconds allow.

    Raises:
        ConfigError: options that do not fit each other.
        RecordingError: a recording or topic that is missing or damaged.
        OutputError: a folder that cannot be written to.
        RobSelfError: no ROS 2 here, or a process failed; the last lines of the logs are on stderr then.
        KeyboardInterrupt: Ctrl-C; then all processes have been ended.
    """
    from robself.demo.chain import require_ros, run_chain
    from robself.demo.child_processes import ended_by_signals
    from robself.demo.stream import pace_on, recorded, rendered
    from robself.report import RecordedRun, write_report

    require_ros("robself demo", "ROS 2")
    if rate <= 0:
        raise ConfigError(f"rate: {rate:g}, expected more than 0")
    folder = Path(output)
    pace = pace_on(device, period_seconds)
    told = {"device": device, "budget.first_iterations": iterations, "budget.iterations": iterations}
    with ended_by_signals():
        if bag is None:
            _clear(folder)
            stream = rendered(folder / RENDERED, frames, pace, told)
        else:
            stream = recorded(bag, source_topic, guide_topic, gt_topic, told)
            _clear(folder, keep=stream.bag)
        try:
            run_chain(stream, rate, folder / RESULT, folder / NODE_LOG)
            run = RecordedRun(stream.bag, folder / RESULT, stream.source, stream.guide, stream.truth)
            settings = {"run by": "robself demo", "rate": rate, **stream.parameters}
            metrics = write_report(run, folder, settings=settings)
        except BaseException:
            _remove(folder, REPORT, METRICS, RESULT)
            raise
    return Demo((folder / REPORT).resolve(), metrics)


def _clear(folder: Path, keep: Path | None = None) -> None:
    """Makes the folder, or takes away what an earlier demo left in it."""
    mine = REPORT, METRICS, RESULT, NODE_LOG
    if keep is not None and keep.resolve() in {(folder / name).resolve() for name in mine}:
        raise ConfigError(f"{keep}: would be replaced by the demo's own, expected another output folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from error
    for name in mine:
        check_place(folder / name)
    _remove(folder, *mine)


def _remove(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).unlink(missing_ok=True)
