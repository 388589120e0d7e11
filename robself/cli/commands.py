"""All commands, and what becomes of their errors."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from robself.cli.bench import bench
from robself.cli.demo import demo
from robself.cli.ending import INTERRUPTED
from robself.cli.eval import evaluate
from robself.cli.replay import replay
from robself.cli.sr import sr
from robself.cli.view import view
from robself.errors import Interrupted, RobSelfError
from robself.provenance import versions

BAD_INPUT = 2
# typer carries click within itself or imports it, depending on its version.
ClickException = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")

app = typer.Typer(
    name="robself",
    help="Super-resolve depth and NIR images by RGB, online and self-supervised (RobSelf).",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(sr)
app.command()(replay)
app.command()(view)
app.command("eval")(evaluate)
app.command()(bench)
app.command()(demo)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"robself {versions()['robself']}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    pass


def run(arguments: Sequence[str]) -> int:
    """Runs a command line; returns its exit code, having said on stderr why it is not 0."""
    try:
        code = app(list(arguments), prog_name="robself", standalone_mode=False)
    except ClickException as error:
        return _fail(_with_advice(error), BAD_INPUT) if error.format_message() else BAD_INPUT
    except Interrupted as error:
        return _fail(str(error), INTERRUPTED)
    except RobSelfError as error:
        return _fail(str(error), BAD_INPUT)
    except typer.Abort:  # how older versions of typer tell of Ctrl-C
        code = INTERRUPTED
    return _fail("interrupted", INTERRUPTED) if code == INTERRUPTED else code or 0


def _with_advice(error: ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"{error.format_message()} (see {context.command_path} --help)" if context else str(error)


def _fail(message: str, code: int) -> int:
    print(f"robself: {' '.join(message.split())}", file=sys.stderr)
    return code
