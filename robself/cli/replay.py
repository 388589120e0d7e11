"""`robself replay`: a whole recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from robself.cli import options
from robself.cli.saying import say
from robself.cli.topics import ask_for_topics
from robself.cli.view import save_view


def replay(
    bag: Annotated[
        Path,
        typer.Argument(help="A rosbag2 folder, a .mcap or .db3 file, or a ROS 1 .bag.", show_default=False),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="Folder for sr.mcap, metrics.json and report.html, which are replaced if they are there.",
            show_default=False,
        ),
    ],
    source_topic: Annotated[str | None, typer.Option(help="Depth or NIR images.", show_default=False)] = None,
    guide_topic: options.GuideTopic = None,
    gt_topic: options.TruthTopic = None,
    preset: options.Preset = "robot",
    variant: options.Variant = "re",
    schedule: options.Schedule = "coarse_to_fine",
    modality: options.Modality = None,
    device: options.Device = "auto",
    seed: options.Seed = 0,
    first_iterations: Annotated[
        int | None, typer.Option(min=1, help="Of a cold keyframe.", show_default=False)
    ] = None,
    first_budget: Annotated[
        float | None, typer.Option(help="Seconds for a cold keyframe.", show_default=False)
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(min=1, help="Of a warm keyframe.", show_default=False)
    ] = None,
    budget: Annotated[
        float | None, typer.Option(help="Seconds for a warm keyframe.", show_default=False)
    ] = None,
    keyframe_every: Annotated[
        int,
        typer.Option(min=0, help="Every n-th pair is optimised, the others are tracked; 0: none by count."),
    ] = 1,
    keyframe_ratio: Annotated[
        float,
        typer.Option(
            min=0,
            help="Optimise once tracking explains the source so many times worse than right after the last "
            "keyframe; 0: off.",
        ),
    ] = 0.0,
    slop: Annotated[float, typer.Option(help="Seconds; stamps of a pair differ by less.")] = 0.02,
    factor: Annotated[
        float, typer.Option(help="Output size / source size; 0: as many times as the guide is finer.")
    ] = 0.0,
    factor_max: Annotated[float, typer.Option(help="At most so many times, where factor is 0.")] = 8.0,
    rpy: Annotated[
        tuple[float, float, float],
        typer.Option(
            help="Radians; roll, pitch, yaw that turn the source's optical frame into the guide's.",
            metavar="R P Y",
        ),
    ] = (0.0, 0.0, 0.0),
    xyz: Annotated[
        tuple[float, float, float],
        typer.Option(help="Metres; the source camera's place in the guide's optical frame.", metavar="X Y Z"),
    ] = (0.0, 0.0, 0.0),
    use_tf: Annotated[
        bool, typer.Option(help="Take both from the recording's /tf_static where it has them.")
    ] = True,
    distance: Annotated[
        float,
        typer.Option(help="Metres to what matters most, registered without parallax; 0: infinitely far."),
    ] = 0.0,
    register: Annotated[
        bool, typer.Option(help="Warp the guide into the source's view by camera_info.")
    ] = True,
    align_guide: Annotated[
        bool, typer.Option(help="Turn the guide as a whole until the edges it shares with the source agree.")
    ] = False,
    depth_min: Annotated[float, typer.Option(help="Metres; nearer is no measurement.")] = 0.1,
    depth_max: Annotated[float, typer.Option(help="Metres; farther is no measurement.")] = 20.0,
    displacement: Annotated[
        bool, typer.Option("--displacement", help="Record the displacement, too (32FC2, 8 bytes a pixel).")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first pairs.", show_default=False)
    ] = None,
    pictures: Annotated[int, typer.Option(min=0, help="How many frames the report shows.")] = 4,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with what an interrupted run has left in the output folder, cold."
        ),
    ] = False,
    rerun: Annotated[
        Path | None, typer.Option(help="Also write what robself view shows (.rrd).", show_default=False)
    ] = None,
    json: options.Json = False,
) -> None:
    """Super-resolve a recording: a bag in, a bag and a report out.

    Every pair is a keyframe unless told otherwise, in the order of the stamps. The same recording
    gives the same result every time, unless there are budgets in seconds.

    Examples:

      robself replay rec.mcap -o out
      --source-topic /depth/image_raw --guide-topic /rgb/image_raw

      robself replay rec/ -o out --factor 4 --first-budget 20 --budget 2
      --source-topic /depth/image_raw --guide-topic /rgb/image_raw
      --gt-topic /truth/image_raw

      robself replay ir.bag -o out --preset task3_x4
      --source-topic /ir/image_raw --guide-topic /rgb/image_raw
    """
    from robself.progress import pairs_bar
    from robself.replay import Replay
    from robself.replay_settings import ReplaySettings

    if source_topic is None or guide_topic is None:
        ask_for_topics("replay", bag)
    if rerun:
        _check_rerun(rerun, output)
    settings = ReplaySettings(
        preset=preset,
        variant=variant,
        schedule=schedule,
        modality=modality,
        device=device,
        seed=seed,
        first_iterations=first_iterations,
        first_budget=first_budget,
        iterations=iterations,
        budget=budget,
        keyframe_every=keyframe_every,
        keyframe_ratio=keyframe_ratio,
        slop=slop,
        factor=factor,
        factor_max=factor_max,
        rpy=rpy,
        xyz=xyz,
        use_tf=use_tf,
        distance=distance,
        register=register,
        align_guide=align_guide,
        depth_min=depth_min,
        depth_max=depth_max,
        displacement=displacement,
        limit=limit,
        pictures=pictures,
    )
    run = Replay(bag, source_topic, guide_topic, gt_topic, settings, say=say)
    with pairs_bar("super-resolving", run.pairs) as on_progress:
        metrics = run.run(output, on_progress, resume)
    if rerun:
        from robself.viewing import find_run

        save_view(rerun, find_run(output))
    _tell(json, output, metrics)


def _check_rerun(file: Path, output: Path) -> None:
    """What can be known to fail is told before the long work."""
    from robself.file_writing import check_place
    from robself.viewing.viewer import require_rerun

    require_rerun()
    if file.parent.resolve() != output.resolve():  # which the work makes
        check_place(file)


def _tell(json: bool, output: Path, metrics: dict[str, Any]) -> None:
    from robself.json_text import json_text

    files = {name: (output / name).resolve() for name in ("sr.mcap", "metrics.json", "report.html")}
    summary = metrics["summary"]
    if json:
        print(json_text({"files": files, "summary": summary}))
        return
    pairs, rmse = summary["pairs"], summary["rmse"]
    print(f"{pairs['used']} of {pairs['in']} pairs super-resolved, {summary['fallbacks']} fallbacks")
    for cause, count in pairs["dropped"].items():
        print(f"  {count} dropped: {cause}")
    if rmse:
        print(
            f"RMSE ({summary['unit']}): bicubic {rmse['bicubic']['mean']:.4g}, RobSelf "
            f"{rmse['sr']['mean']:.4g}, ratio {rmse['ratio']:.3f}, over {rmse['frames']} frames"
        )
    print(f"report: {files['report.html']}")
