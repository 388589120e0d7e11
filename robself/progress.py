"""A progress bar with the time left, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from robself.optimisation import Progress


@contextmanager
def progress_bar(description: str) -> Iterator[Callable[[Progress], None]]:
    """Yields the function to call with each `Progress`."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  loss {task.fields[loss]:.4f}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=1.0, loss=float("nan"))
        yield lambda progress: bar.update(task, completed=progress.fraction, loss=progress.loss)
        bar.update(task, completed=1.0)
