"""What a command says beside its result."""

import sys


def say(line: str) -> None:
    """A line that the user should see; not part of what `--json` gives to programs."""
    print(line, file=sys.stderr)
