"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from robself.config import presets

Preset = Annotated[str, typer.Option(help=f"Network and settings: {', '.join(presets())}.")]
Variant = Annotated[str, typer.Option(help="re (resampling) or de (deformable convolution).")]
Schedule = Annotated[str, typer.Option(help="coarse_to_fine, or paper: 1000 iterations at full resolution.")]
Modality = Annotated[
    str | None, typer.Option(help="What the source measures: depth or nir (none: what the preset is for).")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Acceleration = Annotated[
    str,
    typer.Option(
        help="none, compile (torch.compile) or cuda_graphs (what fails is said and left out); auto: graphs on a GPU."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Of the network's first weights.")]
Members = Annotated[int, typer.Option(min=1, help="Networks whose mean is taken, each at the price of one.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a sentence.")]
SourceTopic = Annotated[str | None, typer.Option(help="Depth or NIR images.", show_default=False)]
GuideTopic = Annotated[str | None, typer.Option(help="RGB images.", show_default=False)]
TruthTopic = Annotated[
    str | None, typer.Option(help="True values: the source's view and stamps, larger.", show_default=False)
]
