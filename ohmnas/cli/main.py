"""Entry point: runs the command that was asked for, and says what an error looks like."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from ohmnas.cli import render
from ohmnas.cli.interrupts import ending_as_interrupts
from ohmnas.cli.parsers import parser
from ohmnas.errors import AllFailedError, OhmnasError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code.

    0, 1 where nothing of what was to be measured could be, 2 for anything the user can mend, 130 after Ctrl-C, SIGTERM
    or SIGHUP.
    """
    with ending_as_interrupts():
        return _run(argv)


def _run(argv: Sequence[str] | None) -> int:
    try:
        try:
            arguments = parser().parse_args(argv)
        except SystemExit:  # --help and --version have printed
            render.flush()
            raise
        import_module(f"ohmnas.cli.{arguments.module}").run(arguments)
        render.flush()
    except OhmnasError as error:
        render.error(str(error))
        return 1 if isinstance(error, AllFailedError) else 2
    except KeyboardInterrupt:
        render.error("interrupted")
        return 130
    except render.ClosedOutputError:
        return 0
    return 0
