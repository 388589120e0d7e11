"""`robself eval`: methods on a dataset, measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from robself.cli import options
from robself.cli.saying import say
from robself.config import presets
from robself.errors import ConfigError

if TYPE_CHECKING:
    from robself.evaluation.evaluation import Engine

CURVE = "What the robustness curve is over, instead of the protocol's movement: "


def evaluate(
    dataset: Annotated[Path, typer.Option(help="Its folder, or a recording.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="Folder for metrics.json, table.md, report.html, config.yaml and the predictions.",
            show_default=False,
        ),
    ],
    methods: Annotated[
        list[str] | None,
        typer.Option(
            help="Names, comma between (none: all that do not learn, and RobSelf).", show_default=False
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many, of methods that are random.")] = 1,
    loader: Annotated[
        str | None, typer.Option(help="What reads the dataset (none: guessed).", show_default=False)
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="task1, task2, task3 or pairs (none: the dataset's usual one).", show_default=False
        ),
    ] = None,
    scale: Annotated[
        int | None, typer.Option(min=1, help="Factor of super-resolution.", show_default=False)
    ] = None,
    misaligned: Annotated[
        bool, typer.Option("--misalign/--aligned", help="Whether guides are moved, or moved ones taken.")
    ] = True,
    translation: Annotated[
        list[str] | None,
        typer.Option(help=f"{CURVE}px, comma between.", metavar="PX,...", show_default=False),
    ] = None,
    rotation: Annotated[
        list[str] | None,
        typer.Option(help=f"{CURVE}degrees, comma between.", metavar="DEGREES,...", show_default=False),
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="Pattern of cases' names: 'c192_*'.", show_default=False)
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first cases.", show_default=False)
    ] = None,
    crop: Annotated[
        str | None,
        typer.Option(help="Central part of the target only.", metavar="HEIGHTxWIDTH", show_default=False),
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Of RealMisSR: simple, complex or all.", show_default=False)
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Every n-th pair of a stream.")] = 1,
    source_topic: options.SourceTopic = None,
    guide_topic: options.GuideTopic = None,
    gt_topic: options.TruthTopic = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(presets())} (none: as protocol and scale say; robot for pairs).",
            show_default=False,
        ),
    ] = None,
    schedule: options.Schedule = "coarse_to_fine",
    members: options.Members = 1,
    iterations: Annotated[
        int | None, typer.Option(min=1, help="Of all that learn, instead of their own.", show_default=False)
    ] = None,
    modality: Annotated[
        str | None, typer.Option(help="depth or nir (none: as the dataset says).", show_default=False)
    ] = None,
    device: options.Device = "auto",
    predictions: Annotated[
        list[str] | None,
        typer.Option(
            help="A row for predictions made elsewhere: files CASE.npy, .npz, .tif, .png, .pfm.",
            metavar="NAME=FOLDER",
            show_default=False,
        ),
    ] = None,
    prealigned: Annotated[
        Path | None, typer.Option(help="Guides aligned elsewhere: files CASE.png.", show_default=False)
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=1, help="Runs at a time (on a Ray cluster: as many as it has room for).")
    ] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Of each run.")] = 1,
    engine: Annotated[
        str, typer.Option(help="local: processes of this machine; ray: a Ray cluster.")
    ] = "local",
    ray_address: Annotated[
        str | None,
        typer.Option(
            help="auto, HOST:PORT or ray://HOST:PORT (none: Ray on this machine).", show_default=False
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the output folder: run what is missing or has failed."),
    ] = False,
    keep_predictions: Annotated[
        bool, typer.Option(help="Write every prediction; without, the report has no pictures.")
    ] = True,
    charts: Annotated[
        bool, typer.Option("--charts", help="Write the report's charts as PNG files, too.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Measure methods on a dataset: RobSelf, its ablation, its peers.

    Every run is kept as soon as it is finished; Ctrl-C and --resume lose
    none. The code is 2 if a run has failed; the others are kept.

    Examples:

      robself eval --dataset Middlebury2006 -o out --scale 4 --seeds 3
      --jobs 4

      robself eval --dataset my_pairs -o out --methods bicubic,robself_re

      robself eval --dataset Middlebury2006 -o curve
      --methods robself_de,p2p,mmsr --translation 0,2,5,10,20,40 --charts

      robself eval --dataset RealMisSR --protocol task3 --scale 2 -o out
      --predictions DCTNet=dctnet_out --engine ray --ray-address auto
    """
    from robself.evaluation.evaluation import Evaluation, complain_of_failures
    from robself.evaluation.options import EvaluationOptions
    from robself.evaluation.report import write_figures, write_report
    from robself.progress import bar

    run_by = _engine(engine, ray_address, jobs, threads, device)
    evaluation = Evaluation(
        EvaluationOptions(
            dataset=str(dataset.resolve()),
            loader=loader,
            protocol=protocol,
            scale=scale,
            misaligned=misaligned,
            crop=_size(crop),
            limit=limit,
            only=only,
            every=every,
            group=group,
            modality=modality,
            source_topic=source_topic,
            guide_topic=guide_topic,
            truth_topic=gt_topic,
            translations=_numbers("translation", translation),
            rotations=_numbers("rotation", rotation),
            methods=tuple(_parts(methods)),
            seeds=seeds,
            preset=preset,
            schedule=schedule,
            members=members,
            iterations=iterations,
            device=device,
            predictions=dict(map(_named_folder, predictions or ())),
            prealigned=prealigned and str(prealigned.resolve()),
        ),
        output,
        resume=resume,
        keep_images=keep_predictions,
        say=say,
    )
    with bar("evaluating", evaluation.total) as update:
        metrics = evaluation.run(
            run_by,
            lambda done, failed, total: update(
                done, f"{done}/{total} runs" + (f", {failed} failed" if failed else "")
            ),
        )
    write_report(output)
    if charts:
        write_figures(output)
    _tell(json, output, metrics)
    complain_of_failures(metrics)


def _engine(name: str, address: str | None, jobs: int, threads: int, device: str) -> Engine:
    if name == "local":
        from robself.device import choose_device
        from robself.evaluation.local_engine import run_locally

        if address:
            raise ConfigError("ray-address: is given, but the engine is local, expected --engine ray")
        choose_device(device)
        return lambda work, most: run_locally(work, min(jobs, most), threads, say)
    if name == "ray":
        from robself.evaluation.ray_engine import run_on_ray

        return lambda work, most: run_on_ray(work, address, min(jobs, most), threads, say)
    raise ConfigError(f"engine: {name!r} is unknown, expected local or ray")


def _parts(texts: list[str] | None) -> list[str]:
    """The option may be repeated, and each time hold several with commas between."""
    return [part.strip() for text in texts or () for part in text.split(",") if part.strip()]


def _numbers(name: str, texts: list[str] | None) -> tuple[float, ...]:
    try:
        return tuple(map(float, _parts(texts)))
    except ValueError:
        raise ConfigError(f"{name}: {','.join(texts)!r}, expected numbers with commas between") from None


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        height, width = map(int, text.lower().split("x"))
    except ValueError:
        raise ConfigError(f"crop: {text!r}, expected HEIGHTxWIDTH in px") from None
    return height, width


def _named_folder(text: str) -> tuple[str, str]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder) or not name.replace("-", "_").replace(".", "_").isidentifier():
        raise ConfigError(f"predictions: {text!r}, expected NAME=FOLDER, NAME of letters, digits, _ - .")
    return name, str(Path(folder).resolve())


def _tell(json: bool, output: Path, metrics: dict[str, Any]) -> None:
    from robself.json_text import json_text

    names = ("metrics.json", "table.md", "report.html", "config.yaml")
    files = {name: (output / name).resolve() for name in names}
    failed = sum(run["error"] is not None for run in metrics["runs"])
    if json:
        told = {"files": files, "runs": len(metrics["runs"]), "failed": failed}
        print(json_text({**told, "summary": metrics["summary"]}))
        return
    from rich.console import Console

    from robself.evaluation.printed_table import printed_tables

    for table in printed_tables(output):
        Console().print(table)
    print(f"report: {files['report.html']}")
