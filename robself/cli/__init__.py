"""The command line `robself`: one file a command.

Exit codes: 0 done, 2 bad input (one line on stderr), 130 interrupted.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence


def main() -> None:
    """The entry point. Nothing heavy is imported before it, so that Ctrl-C is heeded from the start."""
    # What a batch system ends a program by loses as little as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        print("robself: interrupted", file=sys.stderr)
        code = 130
    exec("")  # CPython forgets an interrupt that passed through exec, by which it would kill itself instead
    for number in (signal.SIGINT, signal.SIGTERM):  # all is written: there is nothing left to interrupt
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Runs a command line; returns its exit code, having said on stderr why it is not 0."""
    from robself.cli.commands import run

    return run(arguments)
