"""Fuzz one target, guided by coverage: `python test/fuzz/run.py TARGET [options of libFuzzer]`.

Ends with 0 after `-runs=N` or `-max_total_time=SECONDS`; a crash ends it with the input in a file that
`python test/fuzz/run.py TARGET FILE` runs again.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["robself", "robself_ros"]):
    from targets import TARGETS, seeds


def main() -> None:
    """Fuzzes from the target's own seeds."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"fuzz: target {' '.join(sys.argv[1:2])!r}, expected one of {', '.join(TARGETS)}")
    name, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(seeds(name)):
            Path(folder, f"seed{number}").write_bytes(seed)
        again = any(Path(option).is_file() for option in options)
        atheris.Setup([sys.argv[0], *options, *([] if again else [folder])], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
