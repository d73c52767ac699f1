"""Entry point: the parser of all commands, and what an error looks like."""

from __future__ import annotations

from collections.abc import Sequence

import ohmnas
from ohmnas.cli import campaign, data, describe, fit, merge, render, score, search, study, table, verify
from ohmnas.cli.arguments import Parser
from ohmnas.errors import OhmnasError


def parser() -> Parser:
    """The parser; each command's file adds its own part."""
    top = Parser(prog="ohmnas", description="Architecture search for analog in-memory computing chips.")
    top.add_argument("--version", action="version", version=f"ohmnas {ohmnas.__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (search, verify, campaign, table, merge, describe, study, fit, score, data):
        module.add_parser(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code: 0, 2 for anything the user can mend, 130 after Ctrl-C."""
    try:
        try:
            arguments = parser().parse_args(argv)
        except SystemExit:  # --help and --version have printed
            render.flush()
            raise
        arguments.run(arguments)
        render.flush()
    except OhmnasError as error:
        render.error(str(error))
        return 2
    except KeyboardInterrupt:
        render.error("interrupted")
        return 130
    except render.ClosedOutputError:
        return 0
    return 0
