"""Progress bars with the time left, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it imports torch
    from robself.optimisation import Progress


@contextmanager
def progress_bar(description: str) -> Iterator[Callable[[Progress], None]]:
    """A bar for one keyframe. Yields the function to call with each `Progress`."""
    with bar(description, 1) as update:
        yield lambda progress: update(progress.fraction, f"loss {progress.loss:.4f}")
        update(1)


@contextmanager
def pairs_bar(description: str, pairs: int) -> Iterator[Callable[[int, Progress | None], None]]:
    """A bar for a recording.

    Yields the function to call with the number of pairs done and, in the midst of one, its `Progress`.
    """

    def tell(done: int, progress: Progress | None = None) -> None:
        update(done + (progress.fraction if progress else 0), f"{done}/{pairs} pairs")

    with bar(description, pairs) as update:
        tell(0)
        yield tell


@contextmanager
def bar(description: str, total: float) -> Iterator[Callable[..., None]]:
    """A bar for anything. Yields a function of how much of the total is done, and what to say about it."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[said]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Bar(*columns, console=console) as shown:
        task = shown.add_task(description, total=total, said="")

        def update(done: float, said: str | None = None) -> None:
            shown.update(task, completed=done, **({} if said is None else {"said": said}))

        try:
            yield update
        except BaseException:
            # What is left to read is the line that says why.
            shown.live.transient = True
            console.quiet = not console.is_terminal
            raise
