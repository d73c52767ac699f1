"""`ohmnas completion`: print a script that completes commands, flags, names and files in a shell."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import shtab

from ohmnas.cli import parsers, render
from ohmnas.datasets.campaign.fidelity import FIDELITIES
from ohmnas.datasets.tables.table import shipped_tables
from ohmnas.datasets.tasks.catalogue import TASKS
from ohmnas.hardware import PRESETS
from ohmnas.search.objectives import OBJECTIVES
from ohmnas.search.strategies import STRATEGIES
from ohmnas.spaces.catalogue import SPACES


def run(arguments: argparse.Namespace) -> None:
    """Print the script."""
    script = completion(arguments.shell)
    if arguments.json:
        render.machine({"shell": arguments.shell, "script": script})
    else:
        render.line(script)


def completion(shell: str) -> str:
    """Return the script for a shell: one of `ohmnas.cli.parsers.SHELLS`."""
    top = parsers.parser()
    names: Mapping[str, Iterable[str]] = {
        "--task": TASKS.own,
        "--table": shipped_tables(),
        "--hardware": PRESETS.own,
        "--fidelity": FIDELITIES,
        "--strategy": STRATEGIES.own,
        "--objective": OBJECTIVES.own,
        "--space": SPACES.own,
    }
    for parser in top.commands().values():
        for action in parser._actions:
            _describe(action, names)
    script: str = shtab.complete(top, shell=shell)
    return script


def _describe(action: Any, names: Mapping[str, Iterable[str]]) -> None:
    """Complete an argument's value with names, files or folders. The changed parser is used only for completion."""
    known = next((names[flag] for flag in action.option_strings if flag in names), None)
    if known is not None:
        action.choices = [*known]
    elif action.type is Path or action.metavar == "FILE":
        action.complete = shtab.DIRECTORY if action.metavar == "DIR" else shtab.FILE
