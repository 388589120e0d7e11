"""Where the files that are not code lie: `config/`, `launch/`, `msg/`, `rviz/` and `foxglove/`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from robself.errors import ConfigError


@cache
def share_directory() -> Path:
    """The folder that holds `config/`, `launch/`, `msg/`, `rviz/` and `foxglove/`.

    In a source tree that is its root; colcon and pip put them into `<prefix>/share/robself_ros`.

    Raises:
        ConfigError: neither is there, so the package was copied by hand.
    """
    here = Path(__file__).parent
    places = [here.parent, *(parent / "share" / "robself_ros" for parent in here.parents)]
    for place in places:
        if (place / "config" / "fastdds.xml").is_file():
            return place
    raise ConfigError(
        f"config/fastdds.xml of robself_ros is missing, looked for it in {', '.join(map(str, places))}:"
        " install the package with pip or colcon"
    )
