"""`ohmnas gradient-search`: search with gradients through a network that contains all choices."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Final

from ohmnas.cli import found, render
from ohmnas.cli.output import DEPENDENT, output_folder, set_aside, write_json
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError, OhmnasError
from ohmnas.files import LARGEST_RESULT, is_file, read_json
from ohmnas.hardware import hardware
from ohmnas.oneshot.gradient.search import Progress, gradient_search
from ohmnas.oneshot.gradient.settings import Settings
from ohmnas.search.limits import COST_LIMITS, Limits
from ohmnas.search.plots import PICTURES

SNAPSHOT: Final = "gradient-search.safetensors"
"""File in the output folder that stores an unfinished search."""
_NUMBERS: Final = ("epochs", "warmup", "images", "resolution", "batch", "channels", "cells", "blocks", "settle")
"""Settings with a flag of the same name; without its flag, a setting keeps the default."""


def run(arguments: argparse.Namespace) -> None:
    """Search or continue, then write and print the result."""
    settings = _settings(arguments)
    asked = task(arguments.task, arguments.data_dir).in_space(arguments.space)
    chip = hardware(arguments.hardware)
    limits = Limits(**{name: getattr(arguments, name) for name in COST_LIMITS if getattr(arguments, name) is not None})
    snapshot = arguments.out / SNAPSHOT
    seconds = {} if arguments.max_seconds is None else {"seconds": arguments.max_seconds}
    with (
        output_folder(arguments.out),
        render.meter("searching", settings.epochs, show=not arguments.json) as meter,
    ):

        def report(progress: Progress) -> None:
            meter.advance(progress.epoch, f"accuracy {progress.accuracy:.3f}   {progress.network}")

        try:
            result = gradient_search(
                asked, chip, limits, settings, arguments.seed, **seconds, snapshot=snapshot, report=report
            )
        except KeyboardInterrupt:
            if is_file(snapshot):
                render.notice("note: saved the search; run the same command to continue")
            raise
    result = replace(result, command=tuple(arguments.words))
    path = arguments.out / "result.json"
    same = _is_of(path, arguments.words)
    if not same:
        set_aside(arguments.out, path.name, (*DEPENDENT, *PICTURES))
    write_json(path, result.to_dict(), replaces=same)
    if result.stopped != "seconds":
        snapshot.unlink(missing_ok=True)
    if arguments.json:
        render.machine({**result.to_dict(), "result": str(path)})
    else:
        found.show(result, path)
    if result.stopped == "seconds":
        render.notice("note: the search is not finished; run the same command to continue")


def _settings(arguments: argparse.Namespace) -> Settings:
    """Return the settings from the flags.

    Raises:
        InvalidValueError, UnknownNameError: a value is invalid.
    """
    numbers = {name: getattr(arguments, name) for name in _NUMBERS if getattr(arguments, name) is not None}
    weights: dict[str, float] = {}
    for name, text in arguments.weight or []:
        if name in weights:
            raise InvalidValueError(f"--weight sets {name} twice: set it once")
        try:
            weights[name] = float(text)
        except ValueError as error:
            raise InvalidValueError(f"the weight of {name} must be a number, not {text!r}") from error
    return Settings(arguments.method, arguments.remedy, weights=weights, **numbers)


def _is_of(path: Path, words: list[str]) -> bool:
    """Return True if the file holds a result from the same command, which this run continues or repeats."""
    if not is_file(path):
        return False
    try:
        earlier = read_json(path, LARGEST_RESULT)
    except OhmnasError:
        return False
    before = earlier.get("command") if isinstance(earlier, dict) else None
    return isinstance(before, list) and _asking(before) == _asking(words)


def _asking(words: list[str]) -> list[str]:
    """Return the words that affect the result."""
    return [word for word in words if word not in ("--json", "--quiet")]
