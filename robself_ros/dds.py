"""The Fast DDS profile without which most images are lost: who sets it, and whether it is set."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from robself_ros.share import share_directory

# Fast DDS 2 (Humble, Jazzy) reads the first name, Fast DDS 3 (Kilted and later) the second.
PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")

REMEDY = f"the process that sends them needs a DDS profile too, see {' or '.join(PROFILE_VARIABLES)}"


def profile() -> Path:
    """The profile that the project ships: a 32 MiB shared-memory segment and 4 MiB UDP buffers."""
    return share_directory() / "config" / "fastdds.xml"


def environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables to add to `base` (by default this process's) for a process that sends or receives images.

    Empty where the user has chosen a profile already: that choice is kept.
    """
    base = os.environ if base is None else base
    if _chosen(base):
        return {}
    return dict.fromkeys(_read(base)[:1] if base.get("ROS_DISTRO") else PROFILE_VARIABLES, str(profile()))


def warning(base: Mapping[str, str] | None = None) -> str | None:
    """One line for the log where images will be lost; None where a profile is set or Fast DDS is not in use.

    Fast DDS reads the file when the context is initialised: setting the variables afterwards mends nothing.
    """
    base = os.environ if base is None else base
    if "fastrtps" not in base.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp"):
        return None
    if chosen := _chosen(base):
        name, file = chosen
        return (
            None
            if Path(file).is_file()
            else f"{name} names {file!r}, which is no file: Fast DDS uses its defaults"
        )
    return (
        "Fast DDS runs with its defaults, which lose most images between processes: "
        f"set {_read(base)[0]}={profile()} here and for the camera driver"
    )


def _chosen(base: Mapping[str, str]) -> tuple[str, str] | None:
    return next(((name, base[name]) for name in _read(base) if base.get(name)), None)


def _read(base: Mapping[str, str]) -> tuple[str, ...]:
    """Those of PROFILE_VARIABLES that count, the one to set first: both where ROS does not say what it is (PyPI).

    Kilted's rmw_fastrtps still takes the old name, with a warning.
    """
    distribution = base.get("ROS_DISTRO")
    if distribution in {"humble", "jazzy"}:
        return PROFILE_VARIABLES[:1]
    return PROFILE_VARIABLES[::-1] if distribution else PROFILE_VARIABLES
