"""`ohmnas verify`: train the found network and the best fitting reference for real; predicted beside measured."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from ohmnas.cli import render
from ohmnas.cli.output import set_aside, write_json
from ohmnas.cli.parts import MEASURED, Parts
from ohmnas.datasets.backends import results
from ohmnas.datasets.fidelity import fidelity
from ohmnas.datasets.measure import measure_accuracies, train_network
from ohmnas.datasets.protocol import VERIFICATION_SEEDS, Protocol, require_training, seeds_of
from ohmnas.datasets.task import task
from ohmnas.errors import InvalidValueError
from ohmnas.search.candidate import Candidate
from ohmnas.search.result import SearchResult, read_result
from ohmnas.spaces.hardware import Hardware, hardware, has_name

_WAYS = ("task", "hardware", "fidelity", "engine", "test_images", "chips")
"""To measure: what says how, but for the seeds."""


def run(arguments: argparse.Namespace) -> None:
    """Measure on the test images."""
    result = read_result(arguments.result)
    learned = result.provenance
    chosen = task(arguments.task, arguments.data_dir)
    effort = fidelity(arguments.fidelity or learned.get("fidelity") or "paper")
    if arguments.chips == 1:
        raise InvalidValueError("--chips is 1, but a spread over chips needs at least 2")
    effort = replace(effort, chips=arguments.chips or effort.chips)
    if (result.space.input_shape, result.space.classes) != (chosen.space.input_shape, chosen.space.classes):
        raise InvalidValueError(
            f"{arguments.result} is for images of {result.space.input_shape} in {result.space.classes} classes; "
            f"{chosen.name} has {chosen.input_shape} in {chosen.classes}"
        )
    if learned.get("task") != chosen.name:
        raise InvalidValueError(
            f"{arguments.result} was searched with a table of {learned.get('task')!r}, not of {chosen.name!r}"
        )
    chip_of = _chips(result, arguments)
    require_training()
    protocol = Protocol(chosen, effort, arguments.engine)
    contenders = {"found": result.best}
    contenders |= {reference.name: reference for reference in result.references[: arguments.references]}
    seeds = [VERIFICATION_SEEDS + arguments.seed + index for index in range(arguments.seeds)]
    parts = Parts(
        arguments.result.with_name("verify.parts.json"),
        (chosen.name, chip_of(result.best), effort, arguments.engine),
    )
    trainings = [(candidate, training) for candidate in contenders.values() for training in seeds]
    work = {parts.key(*one): one for one in trainings}  # a reference may be what was found
    calls = [
        joblib.delayed(_measure)(protocol, candidate, chip_of(candidate), training)
        for candidate, training in work.values()
        if (candidate, training) not in parts
    ]
    with render.meter("training", len(work), show=not arguments.json) as meter:
        meter.advance(len(work) - len(calls), "the first")
        for done, (candidate, training, found) in enumerate(results(calls, arguments.jobs), len(work) - len(calls) + 1):
            parts.note(candidate, training, found)
            meter.advance(done, "the last: " + render.percent(found["accuracy_1d"]))
    measured = {
        name: {head: [parts[candidate, training][head] for training in seeds] for head in MEASURED}
        for name, candidate in contenders.items()
    }
    values = {
        "task": chosen.name,
        "hardware": chip_of(result.best).name,
        "fidelity": effort.name,
        "engine": arguments.engine,
        "seeds": seeds,
        "test_images": len(protocol.data().test.labels),
        "chips": effort.chips,
        "predicted_fidelity": learned.get("fidelity"),
        "networks": {
            name: {**candidate.to_dict(), "measured": measured[name]} for name, candidate in contenders.items()
        },
    }
    path = arguments.result.with_name("verify.json")
    same = _measured_alike(path, values)
    if not same:
        set_aside(path.parent, path.name, ())
    write_json(path, values, replaces=same)
    parts.forget()
    if arguments.json:
        render.machine(values)
    else:
        _show(values, contenders, measured, path)


def _measured_alike(path: Path, values: dict[str, Any]) -> bool:
    """Whether the measurement that stands there is of the same networks in the same way."""
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
        genomes = [
            {name: network["genome"] for name, network in one["networks"].items()}
            for one in (there, json.loads(json.dumps(values)))
        ]
        return genomes[0] == genomes[1] and all(there[name] == values[name] for name in _WAYS)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False


def _chips(result: SearchResult, arguments: argparse.Namespace) -> Callable[[Candidate], Hardware]:
    """The chip of each candidate: its own, or that of the search; one that is no preset must be given as a file.

    Raises:
        InvalidValueError: the chip is not known, or another one is given.
    """
    if result.best.chip:
        if arguments.hardware is not None:
            raise InvalidValueError(f"{arguments.result} found the chips too: leave out --hardware")
        return lambda candidate: hardware(candidate.chip)
    learned = str(result.provenance.get("hardware"))
    if arguments.hardware is None and not has_name(learned):
        raise InvalidValueError(f"the chip {learned!r} is no preset: give the file that describes it with --hardware")
    chip = hardware(arguments.hardware or learned)
    if chip.name != learned:
        raise InvalidValueError(f"{arguments.result} was searched for the chip {learned!r}, not for {chip.name!r}")
    for name, value in result.provenance.get("chip", {}).items():
        if (now := {**chip.settings(), "technology": chip.technology}.get(name)) != value:
            raise InvalidValueError(
                f"{arguments.result} was searched for a chip {learned!r} with {name} {value}; that of "
                f"{arguments.hardware or learned} has {now}"
            )
    return lambda _: chip


def _measure(
    protocol: Protocol, candidate: Candidate, chip: Hardware, training: int
) -> tuple[Candidate, int, dict[str, float]]:
    """Which, and what was measured of it."""
    genome = candidate.network
    network, _ = train_network(protocol, genome, chip, training)
    _, chip_seed = seeds_of(protocol.task, genome.tolist(), training)
    found = measure_accuracies(protocol, network, protocol.data().test, chip, chip_seed)
    return candidate, training, {head: found[head] for head in MEASURED}


def _show(
    values: dict[str, Any], contenders: dict[str, Candidate], measured: dict[str, dict[str, list[float]]], path: Path
) -> None:
    rows = []
    for name, candidate in contenders.items():
        predicted, found = candidate.predicted, measured[name]
        for label, numbers in (
            ("predicted", predicted),
            ("measured", {h: float(np.mean(v)) for h, v in found.items()}),
        ):
            rows.append(
                [
                    f"{name} {label}",
                    render.percent(numbers["accuracy_1d"]),
                    render.percent(numbers["accuracy_1d_std"]),
                    render.points(numbers["avm"]),
                    f"{candidate.params:,}",
                    f"{candidate.macs:,}",
                ]
            )
    render.table(["", "1-day accuracy", "std", "AVM", "params", "MACs"], rows)
    for name, found in measured.items():
        each = ", ".join(render.percent(accuracy) for accuracy in found["accuracy_1d"])
        render.line(f"{name}: 1-day accuracy of each training: {each}")
    kinds = dict.fromkeys(candidate.chip or str(values["hardware"]) for candidate in contenders.values())
    trainings, chips = len(values["seeds"]), f"{values['chips']} {' or '.join(kinds)} chips"
    mean = f"one training, on {chips}" if trainings == 1 else f"mean of {trainings} trainings, each on {chips}"
    render.line(f"measured: {mean}, on the {values['test_images']} test images that no table and no search has seen")
    render.line(f"predicted: for validation images, as tables have them; all is saved in {path}")
    if values["predicted_fidelity"] != values["fidelity"]:
        render.line(
            f"predicted and measured are not comparable: the surrogate learned trainings of fidelity "
            f"{values['predicted_fidelity'] or 'unknown'}, these are of {values['fidelity']}"
        )
