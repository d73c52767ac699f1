"""`ohmnas verify`: train the found network and the best fitting reference for real; predicted beside measured."""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Callable, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from ohmnas.cli import render
from ohmnas.cli.output import set_aside, write_json
from ohmnas.cli.parts import MEASURED, Part, Parts
from ohmnas.datasets.backends import results
from ohmnas.datasets.data import TaskData
from ohmnas.datasets.fidelity import FIDELITIES, fidelity
from ohmnas.datasets.measure import given_up, measure_accuracies, train_network
from ohmnas.datasets.protocol import VERIFICATION_SEEDS, Protocol, require_training, seeds_of
from ohmnas.datasets.task import task
from ohmnas.errors import DivergedError, InvalidValueError
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
    known = learned.get("fidelity") if learned.get("fidelity") in FIDELITIES else "table"
    effort = fidelity(arguments.fidelity or str(known), chosen.name)
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
    data = protocol.data()
    parts = Parts(
        arguments.result.with_name("verify.parts.json"),
        (chosen.name, _checksum(data), chip_of(result.best), effort, arguments.engine),
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
        for done, (candidate, training, part) in enumerate(results(calls, arguments.jobs), len(work) - len(calls) + 1):
            parts.note(candidate, training, part)
            meter.advance(done, "the last: " + (part.reason or _percent(part["accuracy_1d"])))
    values = {
        "task": chosen.name,
        "hardware": chip_of(result.best).name,
        "fidelity": effort.name,
        "engine": arguments.engine,
        "seeds": seeds,
        "test_images": len(data.test.labels),
        "chips": effort.chips,
        "predicted_fidelity": learned.get("fidelity"),
        "networks": {
            name: {**candidate.to_dict(), **_of_each([parts[candidate, training] for training in seeds])}
            for name, candidate in contenders.items()
        },
    }
    path = arguments.result.with_name("verify.json")
    repeated = _is_among(path, values)
    if not repeated:
        set_aside(path.parent, path.name, ())
    write_json(path, values, replaces=repeated)
    if arguments.json:
        render.machine(values)
    else:
        _show(values, contenders, path)


def _checksum(data: TaskData) -> int:
    """What tells the images that decide a measurement from others of the same task."""
    checksum = 0
    for split in (data.train, data.test):
        for values in (split.images, split.labels):
            checksum = zlib.crc32(np.ascontiguousarray(values).data, checksum)
    return checksum


def _of_each(parts: list[Part]) -> dict[str, Any]:
    """A value for each training: what was measured, null where it diverged, and why, empty where all went well."""
    return {
        "measured": {head: [part[head] for part in parts] for head in MEASURED},
        "reasons": [part.reason for part in parts],
    }


def _is_among(path: Path, values: dict[str, Any]) -> bool:
    """Whether all that stands there, measured in the same way, is among these values too."""
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
        return all(there[way] == values[way] for way in _WAYS) and all(
            network["genome"] == values["networks"][name]["genome"]
            and all(_by_seed(there, name, head) <= _by_seed(values, name, head) for head in network["measured"])
            for name, network in there["networks"].items()
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False


def _by_seed(values: dict[str, Any], name: str, head: str) -> Set[tuple[int, float | None]]:
    return dict(zip(values["seeds"], values["networks"][name]["measured"][head], strict=True)).items()


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


def _measure(protocol: Protocol, candidate: Candidate, chip: Hardware, training: int) -> tuple[Candidate, int, Part]:
    """Which, and what came of it."""
    genome = candidate.network
    try:
        network, how = train_network(protocol, genome, chip, training)
    except DivergedError as error:
        return candidate, training, Part(None, f"diverged: {error}")
    _, chip_seed = seeds_of(protocol.task, genome.tolist(), training)
    found = measure_accuracies(protocol, network, protocol.data().test, chip, chip_seed)
    return candidate, training, Part({head: found[head] for head in MEASURED}, given_up(protocol, how))


def _show(values: dict[str, Any], contenders: dict[str, Candidate], path: Path) -> None:
    rows = []
    for name, candidate in contenders.items():
        means = {head: _mean(each) for head, each in values["networks"][name]["measured"].items()}
        for label, numbers in (("predicted", candidate.predicted), ("measured", means)):
            rows.append(
                [
                    f"{name} {label}",
                    _percent(numbers["accuracy_1d"]),
                    _percent(numbers["accuracy_1d_std"]),
                    "-" if numbers["avm"] is None else render.points(numbers["avm"]),
                    f"{candidate.params:,}",
                    f"{candidate.macs:,}",
                ]
            )
    render.table(["", "1-day accuracy", "std", "AVM", "params", "MACs"], rows)
    for name, network in values["networks"].items():
        _show_trainings(name, network, values["seeds"])
    kinds = dict.fromkeys(candidate.chip or str(values["hardware"]) for candidate in contenders.values())
    trainings, chips = len(values["seeds"]), f"{values['chips']} {' or '.join(kinds)} chips"
    lacks = any(None in network["measured"]["accuracy_1d"] for network in values["networks"].values())
    several = f"mean of {trainings} trainings{' less those left out' if lacks else ''}, each on {chips}"
    mean = f"one training, on {chips}" if trainings == 1 else several
    render.line(f"measured: {mean}, on the {values['test_images']} test images that no table and no search has seen")
    render.line(f"predicted: for validation images, as tables have them; all is saved in {path}")
    if values["predicted_fidelity"] != values["fidelity"]:
        render.line(
            f"predicted and measured are not comparable: the surrogate learned trainings of fidelity "
            f"{values['predicted_fidelity'] or 'unknown'}, these are of {values['fidelity']}"
        )


def _show_trainings(name: str, network: dict[str, Any], seeds: list[int]) -> None:
    """The accuracy of each, and a line for each that did not go well."""
    accuracies = network["measured"]["accuracy_1d"]
    render.line(f"{name}: 1-day accuracy of each training: {', '.join(map(_percent, accuracies))}")
    for place, (seed, accuracy, reason) in enumerate(zip(seeds, accuracies, network["reasons"], strict=True), 1):
        if reason:
            fate = "left out of the means" if accuracy is None else "it is in the means"
            render.line(f"{name}, training {place} of {len(seeds)} (seed {seed}): {reason}; {fate}")
    if _mean(accuracies) is None:
        render.line(f"{name}: every training diverged, so that nothing is measured of it")


def _mean(values: list[float | None]) -> float | None:
    """Of those that there are."""
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def _percent(value: float | None) -> str:
    return "-" if value is None else render.percent(value)
