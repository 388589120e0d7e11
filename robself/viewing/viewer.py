"""The viewer's package and its window."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from robself.errors import MissingPackageError, RobSelfError

# As `python -m rerun_cli`, which does not hand on the viewer's exit code.
VIEWER = "import sys; from rerun_cli.__main__ import main; sys.exit(main())"
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET")


def require_rerun() -> None:
    """Raises MissingPackageError: there is no viewer to write for."""
    if find_spec("rerun_bindings") is None:
        raise MissingPackageError(
            "rerun-sdk is not installed, expected it for the viewer: pip install 'robself[view]'"
        )


def require_display() -> None:
    """Raises RobSelfError: a window could not be opened."""
    if sys.platform == "linux" and not any(map(os.environ.get, DISPLAYS)):
        raise RobSelfError(
            f"the viewer needs a display, and none of {', '.join(DISPLAYS)} is set: --save FILE.rrd writes a file "
            "to be looked at elsewhere"
        )


def open_viewer(file: Path) -> None:
    """Shows a `.rrd` file in a viewer of its own; returns when that is closed.

    Raises:
        RobSelfError: it could not be opened.
    """
    require_rerun()
    require_display()
    # Its server is for this machine alone; without --new, a viewer that is open already would be handed the file.
    command = [sys.executable, "-c", VIEWER, "--new", "--bind", "127.0.0.1", str(file)]
    environment = {**os.environ, "RERUN_APP_ONLY": "true"}  # asks nothing at its first start
    done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"code {done.returncode}"]
        raise RobSelfError(
            f"the viewer failed: {said[-1]}; --save FILE.rrd writes a file to be looked at elsewhere"
        )
