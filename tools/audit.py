"""Whether advisories are known for the packages that `make install` takes: `tools/audit.py PIP_AUDIT [LOCK...]`.

pip-audit itself says that no vulnerability is known where an index answers "not found" for every package, and ends in a
traceback where none answers. Ends with 0 where none is known, 1 where some are, 3 where nothing could be checked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements"
LOCKS = REQUIREMENTS / "lock.txt", REQUIREMENTS / "torch_pypi.txt"
NONE_KNOWN, KNOWN, NOT_CHECKED = 0, 1, 3


def audit(command: list[str], locks: Iterable[Path] = LOCKS) -> tuple[int, list[str]]:
    """Exit code and lines to say.

    Args:
        command: that runs pip-audit.
    """
    options = ["--disable-pip", "--progress-spinner", "off", "--format", "json"]
    files = [part for lock in locks for part in ("-r", lock)]
    run = subprocess.run([*command, *files, *options], capture_output=True, text=True, check=False)
    try:
        packages = json.loads(run.stdout)["dependencies"]
    except (ValueError, KeyError):
        why = (run.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return NOT_CHECKED, [f"audit: nothing was checked, no index of advisories is reachable ({why})"]
    checked = [one for one in packages if "skip_reason" not in one]
    if not checked:
        why = f"it knows none of {len(packages)} packages"
        return NOT_CHECKED, [f"audit: nothing was checked, no index of advisories is reachable ({why})"]
    found = [
        f"audit: {one['name']} {one['version']}: {flaw['id']}, "
        f"mended in {', '.join(flaw['fix_versions']) or 'no version'}"
        for one in checked
        for flaw in one["vulns"]
    ]
    end = f"audit: {len(found)} advisories for {len(checked)} of {len(packages)} packages"
    return (KNOWN if found else NONE_KNOWN), [*found, end]


def main() -> int:
    """Prints what pip-audit found."""
    code, lines = audit(sys.argv[1:2], [Path(lock) for lock in sys.argv[2:]] or LOCKS)
    print(*lines, sep="\n", file=sys.stderr if code == NOT_CHECKED else sys.stdout)
    return code


if __name__ == "__main__":
    sys.exit(main())
