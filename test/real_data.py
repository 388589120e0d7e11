"""The real pairs, which are no part of the project."""

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[2] / "shared" / "data"


def real_file(folder: str, name: str) -> Path:
    """One of their files; where it is not there, the test is skipped."""
    file = Path(os.environ.get("ROBSELF_DATA", BESIDE), folder, name)
    if not file.is_file():
        pytest.skip(f"needs {folder}/{name} of the real pairs (ROBSELF_DATA or ../shared/data)")
    return file
