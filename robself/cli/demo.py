"""`robself demo`: the node at work over DDS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from robself.cli import options
from robself.cli.topics import ask_for_topics

if TYPE_CHECKING:
    from robself.demo import Demo


def demo(
    bag: Annotated[
        Path | None,
        typer.Argument(
            help="A recording of your own (none: a built-in scene is rendered).", show_default=False
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for the report and the recordings.")
    ] = Path("demo_output"),
    source_topic: options.SourceTopic = None,
    guide_topic: options.GuideTopic = None,
    gt_topic: options.TruthTopic = None,
    frames: Annotated[int, typer.Option(min=1, help="Of the built-in scene.")] = 20,
    period: Annotated[
        float | None,
        typer.Option(
            help="Seconds between frames of the built-in scene (none: what suits the device).",
            show_default=False,
        ),
    ] = None,
    rate: Annotated[float, typer.Option(help="How fast to play; 1: as it was recorded.")] = 1.0,
    device: options.Device = "auto",
    iterations: Annotated[
        int, typer.Option(min=0, help="Most for a keyframe; 0: what its time budget allows.")
    ] = 0,
    picture: Annotated[
        Path | None, typer.Option(help="Also save a before/after picture (PNG).", show_default=False)
    ] = None,
    json: options.Json = False,
) -> None:
    """Play a recording into the ROS 2 node over DDS, and report on what it publishes.

    Examples:

      robself demo

      robself demo --frames 10 --picture before_after.png

      robself demo rec.mcap
      --source-topic /depth/image_raw --guide-topic /rgb/image_raw
    """
    from robself.demo import run_demo

    if bag is not None and (source_topic is None or guide_topic is None):
        ask_for_topics("demo", bag)
    if picture:
        from robself.file_writing import check_place
        from robself.image_files import check_extension

        check_extension(picture, (".png",))
        check_place(picture)
    done = run_demo(
        output,
        bag=bag,
        source_topic=source_topic,
        guide_topic=guide_topic,
        gt_topic=gt_topic,
        frames=frames,
        period_seconds=period,
        rate=rate,
        device=device,
        iterations=iterations,
    )
    if picture:
        _save(picture, done, bag)
    _tell(json, done)


def _save(picture: Path, done: Demo, bag: Path | None) -> None:
    from robself.demo import RENDERED, RESULT
    from robself.report import RecordedRun, save_comparison

    folder, topics = done.report.parent, done.metrics["summary"]["topics"]
    run = RecordedRun(
        bag or folder / RENDERED, folder / RESULT, topics["source"], topics["guide"], topics["truth"]
    )
    save_comparison(picture, run)


def _tell(json: bool, done: Demo) -> None:
    from robself.json_text import json_text

    if json:
        print(json_text({"report": done.report, "summary": done.metrics["summary"]}))
        return
    from rich.console import Console

    Console().print(done.table())
    print(f"report: {done.report}")
