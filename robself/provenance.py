"""What a result was made with."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata


@cache
def versions() -> dict[str, str]:
    """Versions of this package, Python and the libraries that decide a result."""
    found = {"python": platform.python_version()}
    for package in ("robself_ros", "torch", "numpy", "opencv-python-headless"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
