"""`robself view`: a run in the Rerun viewer."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from robself.cli import options
from robself.cli.saying import say
from robself.output_topics import NODE

if TYPE_CHECKING:
    from robself.viewing import ViewedRun


def view(
    run: Annotated[
        Path,
        typer.Argument(
            help="A folder of robself replay or robself demo, or a bag of the node's topics.",
            show_default=False,
        ),
    ],
    save: Annotated[
        Path | None,
        typer.Option(
            help="A .rrd file, replaced if it is there, instead of a window: needs no display.",
            show_default=False,
        ),
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option(help="The bag that source and guide are in (none: RUN's own).", show_default=False),
    ] = None,
    source_topic: options.SourceTopic = None,
    guide_topic: options.GuideTopic = None,
    node: Annotated[str, typer.Option(help="The node's name, with which its topics begin.")] = NODE,
) -> None:
    """Show a run in the Rerun viewer: images, point cloud and status over time.

    Needs rerun-sdk, which robself's extra "view" brings.

    Examples:

      robself view out

      robself view out --save run.rrd

      robself view node_bag/ --source-topic /depth/image_raw --guide-topic /rgb/image_raw
    """
    from robself.viewing import find_run, open_viewer
    from robself.viewing.viewer import require_display

    found = find_run(run, recording, source_topic, guide_topic, node, say)
    if save:
        save_view(save, found)
        return
    require_display()  # before the long work
    with TemporaryDirectory(prefix="robself_view_") as folder:
        file = Path(folder, "run.rrd")
        save_view(file, found)
        open_viewer(file)


def save_view(path: Path, run: ViewedRun) -> None:
    """Writes a `.rrd` file, with a bar. Raises as `robself.viewing.write_rrd` does."""
    from robself.progress import bar
    from robself.viewing import write_rrd

    with bar("reading", 1) as update:
        write_rrd(path, run, lambda done, images: update(done / images, f"{done}/{images} images"), say)
