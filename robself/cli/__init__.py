"""The command line `robself`: one file a command.

Exit codes: 0 done, 2 bad input (one line on stderr), 130 interrupted.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from contextlib import suppress

from robself.cli.ending import INTERRUPTED, end, heed_signals
from robself.kept_memory import keep_memory


def main() -> None:
    """The entry point. Nothing heavy is imported before it, so that Ctrl-C is heeded from the start."""
    heed_signals()
    keep_memory()
    try:
        code = run(sys.argv[1:])
        print(end="", flush=True)
    except KeyboardInterrupt:
        print("robself: interrupted", file=sys.stderr)
        with suppress(OSError):
            print(end="", flush=True)
        code = INTERRUPTED
    except OSError as error:
        if error.filename or error.errno not in (errno.ENOSPC, errno.EPIPE):
            raise
        print(f"robself: stdout: cannot be written: {error.strerror}", file=sys.stderr)
        code = 2
    end(code)


def run(arguments: Sequence[str]) -> int:
    """Runs a command line; returns its exit code, having said on stderr why it is not 0."""
    from robself.cli.commands import run

    return run(arguments)
