"""Entry point: runs the command that was asked for, and says what an error looks like.

Nothing else is imported before `main` runs: who presses Ctrl-C while the rest is loaded sees a sentence too.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code.

    0, 1 where nothing of what was to be measured could be, 2 for anything the user can mend, 130 after Ctrl-C, SIGTERM
    or SIGHUP.
    """
    try:
        return _run(argv)
    except KeyboardInterrupt:
        with suppress(OSError, ValueError, AttributeError):  # nobody may read it
            sys.stderr.write("ohmnas: error: interrupted\n")
        return INTERRUPTED


def _run(argv: Sequence[str] | None) -> int:
    from ohmnas.cli.interrupts import ending_as_interrupts

    with ending_as_interrupts():
        return _command(argv)


def _command(argv: Sequence[str] | None) -> int:
    from importlib import import_module

    from ohmnas.cli import render
    from ohmnas.cli.parsers import parser
    from ohmnas.errors import AllFailedError, OhmnasError

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
    except MemoryError:
        render.error("there is not enough memory for this: ask for less at a time, such as a smaller population")
        return 2
    except render.ClosedOutputError:
        return 0
    return 0
