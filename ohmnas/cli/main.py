"""Entry point: run a command and print its errors.

Imports from ohmnas happen inside functions, so Ctrl-C during an import prints a message instead of a traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace

INTERRUPTED = 130
"""Exit code after Ctrl-C, by shell convention."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    0: success. 1: every measurement failed. 2: an error that the user can fix. 130: Ctrl-C, SIGTERM or SIGHUP.
    """
    try:
        return _run(argv)
    except KeyboardInterrupt:
        with suppress(OSError, ValueError, AttributeError):  # standard error may be closed
            sys.stderr.write("ohmnas: error: interrupted\n")
        return INTERRUPTED


def _run(argv: Sequence[str] | None) -> int:
    from ohmnas.cli.interrupts import ending_as_interrupts

    with ending_as_interrupts():
        return _command(argv)


def _run_recorded(arguments: Namespace) -> None:
    """Run a command and write its flags beside its output, even if it is interrupted after it saved some results."""
    from importlib import import_module

    from ohmnas.cli.config import record

    try:
        import_module(f"ohmnas.cli.{arguments.module}").run(arguments)
    except KeyboardInterrupt:
        record(arguments, interrupted=True)
        raise
    record(arguments)


def _command(argv: Sequence[str] | None) -> int:
    from ohmnas.cli import render
    from ohmnas.cli.parsers import parser
    from ohmnas.errors import AllFailedError, OhmnasError

    try:
        try:
            arguments = parser().parse_args(argv)
        except SystemExit:  # --help and --version exit after they print
            render.flush()
            raise
        with render.printing(quiet=arguments.quiet):
            _run_recorded(arguments)
        render.flush()
    except OhmnasError as error:
        render.error(str(error))
        return 1 if isinstance(error, AllFailedError) else 2
    except MemoryError:
        render.error("not enough memory: use a smaller setting, such as a smaller --population")
        return 2
    except render.ClosedOutputError:
        return 0
    return 0
