"""The text of the project's own message, from wherever the project is installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from robself.errors import OutputError

STATUS = "robself_ros/msg/Status"


def status_definition() -> str:
    """The text of `msg/Status.msg`.

    Raises:
        OutputError: the file is nowhere to be found.
    """
    places = list(_places())
    for place in places:
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise OutputError(
        f"msg/Status.msg of robself_ros is missing, looked for it in {', '.join(map(str, places))}"
    )


def _places() -> Iterator[Path]:
    # The source tree, the pip package (as its data, or as setup.py's), and colcon's share folder.
    yield Path(__file__).parents[2] / "msg" / "Status.msg"
    package = find_spec("robself_ros")
    for folder in (package.submodule_search_locations or ()) if package else ():
        yield Path(folder) / "msg" / "Status.msg"
    for prefix in filter(None, [sys.prefix, *os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)]):
        yield Path(prefix) / "share" / "robself_ros" / "msg" / "Status.msg"
