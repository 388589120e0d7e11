"""What a result was made with."""

from __future__ import annotations

import platform
from contextlib import suppress
from functools import cache
from importlib import metadata

# By the name that a result tells. Where colcon installed this package, there is only the distribution of its message.
DISTRIBUTIONS = {
    "robself": ("robself", "robself_ros"),
    "torch": ("torch",),
    "numpy": ("numpy",),
    "opencv-python-headless": ("opencv-python-headless",),
}


@cache
def versions() -> dict[str, str]:
    """Versions of this package, Python and the libraries that decide a result."""
    found = {"python": platform.python_version()}
    for name, distributions in DISTRIBUTIONS.items():
        for distribution in distributions:
            with suppress(metadata.PackageNotFoundError):
                found.setdefault(name, metadata.version(distribution))
    return found
