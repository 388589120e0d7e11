"""`robself sr`: one source and one guide, as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from robself.cli import options
from robself.errors import InputError, OutputError

if TYPE_CHECKING:
    from robself.pair import Result


def sr(
    source: Annotated[
        Path, typer.Argument(help="Depth or NIR: PNG (8 or 16 bit), NPY, TIFF or PFM.", show_default=False)
    ],
    guide: Annotated[
        Path, typer.Argument(help="RGB image of the same view, at the size to reach.", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="PNG (16 bit, holes 0), NPY, TIFF or PFM (float32, holes NaN); replaced if it is there.",
            show_default=False,
        ),
    ],
    preset: options.Preset = "robot",
    variant: options.Variant = "re",
    schedule: options.Schedule = "coarse_to_fine",
    scale: Annotated[
        float | None,
        typer.Option(help="Output size / source size (none: the guide's size).", show_default=False),
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(min=1, help="Instead of the schedule's.", show_default=False)
    ] = None,
    budget: Annotated[
        float | None, typer.Option(help="Seconds after which to stop and predict.", show_default=False)
    ] = None,
    seed: options.Seed = 0,
    members: options.Members = 1,
    device: options.Device = "auto",
    acceleration: options.Acceleration = "auto",
    modality: options.Modality = None,
    aligned_guide: Annotated[
        Path | None, typer.Option(help="Also write the guide as aligned (PNG, JPEG ...).", show_default=False)
    ] = None,
    translated: Annotated[
        Path | None, typer.Option(help="Also write the guide as translated (as OUTPUT).", show_default=False)
    ] = None,
    displacement: Annotated[
        Path | None, typer.Option(help="Also write the displacement: NPY (H, W, 2), px.", show_default=False)
    ] = None,
    png_scale: Annotated[
        float, typer.Option(min=0, help="PNG value / source value: 1000 stores metres as millimetres.")
    ] = 1.0,
    json: options.Json = False,
) -> None:
    """Super-resolve a depth or NIR image by an RGB image.

    The result has the guide's size and the source's unit.

    Examples:

      robself sr depth.png rgb.png -o sr.png

      robself sr depth_m.npy rgb.jpg -o sr.png --png-scale 1000 --budget 20

      robself sr nir.png rgb.png -o sr.tiff --preset task3_x4

      robself sr depth.png rgb.png -o sr.png --members 3   # better, slower
    """
    from robself.image_files import read_guide, read_source, write_colour, write_values
    from robself.super_resolution import super_resolve

    _check_outputs([source, guide], output, aligned_guide, translated, displacement)
    images = read_source(source), read_guide(guide)
    _check_values(images[0], png_scale, output, translated)
    try:
        result = super_resolve(
            *images,
            preset=preset,
            variant=variant,
            schedule=schedule,
            scale=scale,
            iterations=iterations,
            budget_seconds=budget,
            seed=seed,
            members=members,
            device=device,
            progress=True,
            modality=modality,
            acceleration=acceleration,
        )
    except InputError as error:
        raise InputError(f"{error} (source {source}, guide {guide})") from error
    write_values(output, result.sr, png_scale)
    if translated:
        write_values(translated, result.translated, png_scale)
    if aligned_guide:
        write_colour(aligned_guide, result.aligned_guide)
    if displacement:
        write_values(displacement, result.displacement)
    _tell(json, output, images, result)


def _check_outputs(
    inputs: list[Path],
    output: Path,
    aligned_guide: Path | None,
    translated: Path | None,
    displacement: Path | None,
) -> None:
    """What can be known to fail is told before the long work."""
    from robself.file_writing import check_place
    from robself.image_files import SOURCE_FILES, check_colour_extension, check_extension

    check_extension(output, SOURCE_FILES)
    if translated:
        check_extension(translated, SOURCE_FILES)
    if aligned_guide:
        check_colour_extension(aligned_guide)
    if displacement:
        check_extension(displacement, (".npy",))
    taken = {path.resolve() for path in inputs}
    for path in filter(None, (output, aligned_guide, translated, displacement)):
        check_place(path)
        if path.resolve() in taken:
            raise OutputError(f"{path}: is named twice, expected a file of its own for every result")
        taken.add(path.resolve())


def _check_values(source: np.ndarray, png_scale: float, *outputs: Path | None) -> None:
    from robself.image_files import check_png

    for path in filter(None, outputs):
        if path.suffix.lower() == ".png":
            check_png(path, source, png_scale)


def _tell(json: bool, output: Path, images: tuple[np.ndarray, np.ndarray], result: Result) -> None:
    from robself.json_text import json_text

    source, guide = images
    if json:
        print(
            json_text(
                {
                    "file": output.resolve(),
                    "source_size": _size(source),
                    "guide_size": _size(guide),
                    "sr_size": _size(result.sr),
                    "valid_share": float(result.valid.mean()),
                    "info": result.info,
                }
            )
        )
        return
    info = result.info
    (width, height), (low_width, low_height) = _size(result.sr), _size(source)
    note = "; nothing better than bicubic was found, which it holds" if info["fallback"] else ""
    networks = f" of {info['members']} networks" if "members" in info else ""
    print(
        f"{output}: {width}x{height} from {low_width}x{low_height}, {info['iterations']} iterations{networks} in "
        f"{info['seconds']:.1f} s on {info['device']}, consistency {info['consistency_before']:.4g} -> "
        f"{info['consistency_after']:.4g}{note}"
    )


def _size(image: np.ndarray) -> list[int]:
    """[width, height]"""
    return [image.shape[1], image.shape[0]]
