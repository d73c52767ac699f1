"""`ohmnas verify`: predicted and measured values of the found network and of references."""

from __future__ import annotations

import argparse
from collections.abc import Set
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ohmnas.cli import render
from ohmnas.cli.output import set_aside, write_json
from ohmnas.datasets.campaign.checkpoint import Trained
from ohmnas.datasets.campaign.picks import FOUND
from ohmnas.datasets.campaign.verify import networks_to_verify, verify
from ohmnas.datasets.tables.schema import SPREAD_COLUMNS
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import AllFailedError, InvalidValueError, OhmnasError
from ohmnas.files import LARGEST_RESULT, read_json
from ohmnas.hardware import hardware
from ohmnas.search.candidate import Candidate
from ohmnas.search.result import read_result, result_file

KEPT = "networks"
"""Folder of the trained networks, next to the result."""
_WAYS = ("task", "hardware", "fidelity", "engine", "test_images", "chips")
"""Settings of a measurement except the seeds."""


def run(arguments: argparse.Namespace) -> None:
    """Train the networks, measure them on the test images, then save and print the values."""
    stored = result_file(arguments.result)
    result = read_result(stored)
    picks = (*(arguments.pick or []), *(f"top:{place}" for place in range(1, (arguments.top or 0) + 1))) or (FOUND,)
    chosen = task(arguments.task, arguments.data_dir)
    with render.meter("training", None, show=not arguments.json) as meter:
        try:
            values = verify(
                result,
                chosen,
                fidelity_name=arguments.fidelity,
                chip=None if arguments.hardware is None else hardware(arguments.hardware),
                chips=arguments.chips,
                seeds=range(arguments.seed, arguments.seed + arguments.seeds),
                references=arguments.references,
                picks=picks,
                engine=arguments.engine,
                jobs=arguments.jobs,
                checkpoint=stored.with_name("verify.parts.json"),
                keep=stored.with_name(KEPT),
                report=partial(_report, meter),
            )
        except InvalidValueError as error:
            raise InvalidValueError(f"{stored}: {error}") from error
    path = stored.with_name("verify.json")
    repeated = _is_among(path, values)
    if not repeated:
        set_aside(path.parent, path.name, ())
    write_json(path, values, replaces=repeated)
    if arguments.json:
        render.machine(values)
    else:
        _show(values, networks_to_verify(result, arguments.references, picks), path)
    if all(_mean(network["measured"]["accuracy_1d"]) is None for network in values["networks"].values()):
        raise AllFailedError("every training run diverged; there is no measurement")


def _report(meter: render.Meter, done: int, total: int, last: Trained | None) -> None:
    """Advance the progress bar and show the result of the last training run."""
    meter.of(total)
    meter.advance(
        done, "starting" if last is None else f"last training run: {last.reason or _percent(last['accuracy_1d'])}"
    )


def _is_among(path: Path, values: dict[str, Any]) -> bool:
    """Return True if these values include all values in the file, measured with the same settings."""
    try:
        stored = read_json(path, LARGEST_RESULT)
        return all(stored[way] == values[way] for way in _WAYS) and all(
            network["genome"] == values["networks"][name]["genome"]
            and all(_by_seed(stored, name, target) <= _by_seed(values, name, target) for target in network["measured"])
            for name, network in stored["networks"].items()
        )
    except (OhmnasError, ValueError, TypeError, KeyError, AttributeError):
        return False


def _by_seed(values: dict[str, Any], name: str, target: str) -> Set[tuple[int, float | None]]:
    return dict(zip(values["seeds"], values["networks"][name]["measured"][target], strict=True)).items()


def _show(values: dict[str, Any], networks: dict[str, Candidate], path: Path) -> None:
    rows = []
    for name, candidate in networks.items():
        means = {target: _mean(each) for target, each in values["networks"][name]["measured"].items()}
        for label, numbers in (("predicted", candidate.predicted), ("measured", means)):
            if not numbers:  # a picked network without a prediction
                continue
            rows.append(
                [
                    f"{name} {label}",
                    _percent(numbers["accuracy_1d"]),
                    _percent(numbers["accuracy_1d_std"]),
                    "-" if (avm := numbers.get("avm")) is None else render.points(avm),
                    f"{candidate.params:,}",
                    f"{candidate.macs:,}",
                ]
            )
    render.table(["", "1-day accuracy", "std", "AVM", "params", "MACs"], rows)
    if changes := [line for name, others in values["differences"].items() for line in _changes(name, others)]:
        render.table(["difference", *("1-day accuracy", "std", "AVM"), "1-month accuracy"], changes)
    for name, network in values["networks"].items():
        _show_trainings(name, network, values["seeds"])
    kinds = dict.fromkeys(candidate.chip or str(values["hardware"]) for candidate in networks.values())
    trainings, chips = len(values["seeds"]), f"{values['chips']} {' or '.join(kinds)} chips"
    lacks = any(None in network["measured"]["accuracy_1d"] for network in values["networks"].values())
    several = f"mean of {trainings} training runs{' (diverged ones excluded)' if lacks else ''}, {chips} each"
    mean = f"1 training run, {chips}" if trainings == 1 else several
    render.line(f"measured: {mean}, {values['test_images']} test images (not used by any table or search)")
    render.line("predicted: on validation images")
    if trainings > 1 and changes:
        render.line(
            "difference: mean and 95 % interval (paired t-test over training runs with the same seeds and images)"
        )
    _show_spread(values)
    render.line(f"saved: {path}")
    if kept := [folder for network in values["networks"].values() for folder in network["weights"] if folder]:
        count = "1 folder" if len(kept) == 1 else f"{len(kept)} folders"
        render.line(f"trained networks: {path.with_name(KEPT)} ({count}, such as {path.parent / kept[0]})")
    if values["predicted_fidelity"] != values["fidelity"]:
        render.line(
            f"predicted and measured values are not comparable: the surrogate was trained at fidelity "
            f"{values['predicted_fidelity'] or 'unknown'}, the networks at fidelity {values['fidelity']}"
        )


def _changes(name: str, others: dict[str, dict[str, Any]]) -> list[list[str]]:
    """One row for each reference: mean paired differences with their intervals."""
    return [[f"{name} - {other}", *map(_change, changes.values())] for other, changes in others.items()]


def _change(change: dict[str, Any] | None) -> str:
    if change is None:
        return "-"
    if change["low"] is None:
        return render.points(change["mean"])
    return f"{render.points(change['mean'])} ({100 * change['low']:+.2f} to {100 * change['high']:+.2f})"


def _show_trainings(name: str, network: dict[str, Any], seeds: list[int]) -> None:
    """Print the accuracy of each training run, and one line for each training run that diverged or stopped early."""
    accuracies = network["measured"]["accuracy_1d"]
    render.line(f"{name}: 1-day accuracy of each training run: {', '.join(map(_percent, accuracies))}")
    for place, (seed, accuracy, reason) in enumerate(zip(seeds, accuracies, network["reasons"], strict=True), 1):
        if reason:
            fate = "excluded from the means" if accuracy is None else "included in the means"
            render.line(f"{name}, training run {place} of {len(seeds)} (seed {seed}): {reason}; {fate}")
    if _mean(accuracies) is None:
        render.line(f"{name}: every training run diverged; there is no measurement")


def _show_spread(values: dict[str, Any]) -> None:
    """Print each cause's share of the variance over chips, if it was measured."""
    for name, network in values["networks"].items():
        parts = {column: _mean(network["measured"].get(column, [])) for column in SPREAD_COLUMNS}
        known = {column: max(part, 0.0) for column, part in parts.items() if part is not None}
        if len(known) == len(SPREAD_COLUMNS) and (total := sum(known.values())) > 0:
            flips, read, chip = (100 * part / total for part in known.values())
            render.line(
                f"{name}: variance over chips: {flips:.0f} % from flips of single images, {read:.0f} % from read "
                f"noise, {chip:.0f} % from differences between chips"
            )


def _mean(values: list[float | None]) -> float | None:
    """Return the mean of the values that are not None; None if all are None."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _percent(value: float | None) -> str:
    return "-" if value is None else render.percent(value)
