"""`ohmnas compare`: several stored results and trained networks side by side."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import Any, Final

import numpy as np

from ohmnas.cli import render
from ohmnas.datasets.campaign.protocol import require_training
from ohmnas.datasets.campaign.trained import TrainedNetwork, is_trained
from ohmnas.report.charts import value
from ohmnas.report.columns import shared_columns
from ohmnas.report.drift import SECONDS, TIME_NAMES
from ohmnas.report.subject import Subject, as_json, read_subjects
from ohmnas.search.quantities import Quantities
from ohmnas.search.quantity_words import WORDS

_COSTS: Final = ("params", "macs", "memory", "tiles", "energy", "latency")
"""Costs of trained networks; costs on tiles are for each network's own chip."""
_MEASURED: Final = {
    "accuracy_digital": "digital",
    **{f"accuracy_{time}": name for time, name in TIME_NAMES.items()},
    "accuracy_1d_std": "std (1 day)",
    "avm": "AVM",
}
"""Measured value of a trained network -> column."""


def run(arguments: argparse.Namespace) -> None:
    """Print results, then trained networks."""
    trained = [path for path in arguments.results if is_trained(path)]
    if trained:
        require_training()
    subjects = read_subjects([path for path in arguments.results if path not in trained], arguments.surrogate)
    networks = named({path: TrainedNetwork.load(path) for path in trained}, [one.name for one in subjects])
    if arguments.json:
        render.machine(
            {
                **{
                    one.name: {"result": str(one.path), "best": one.result.best.to_dict(), **as_json(one)}
                    for one in subjects
                },
                **{name: _network_as_json(one) for name, one in networks.items()},
            }
        )
        return
    if subjects:
        _show_results(subjects)
    if networks:
        _show_networks(networks)
    tasks = {(str(one.result.provenance.get("task")), str(one.result.provenance.get("hardware"))) for one in subjects}
    tasks |= {(one.task, one.chip.name) for one in networks.values()}
    if len(tasks) > 1:
        render.line("these results are for different tasks or chips: their numbers are not comparable")


def _show_results(subjects: Sequence[Subject]) -> None:
    """Print one row per result, and a second one if its network was measured."""
    columns = shared_columns(subjects)
    rows = []
    for one in subjects:
        values = [value(one.result.best, name) for name in columns]
        rows.append([f"{one.name} predicted", *_texts(columns, values)])
        network = one.measured_best
        if network is not None:
            rows.append([f"{one.name} measured", *_texts(columns, [network.mean(name) for name in columns])])
    render.table(["", *(WORDS[name].label for name in columns)], rows)
    drifts = [(one.name, one.drift["found"]) for one in subjects if "found" in one.drift]
    if drifts:
        lines = [[name, *(f"{100 * mean:.2f}" for mean in drift.values)] for name, drift in drifts]
        render.table(["predicted accuracy (%) after", *(TIME_NAMES[time] for time in SECONDS)], lines)
    for one in subjects:
        on = f", on {one.result.best.chip}" if one.result.best.chip else ""
        render.line(f"{one.name}: {one.result.best.architecture}{on}")


def named(networks: dict[Path, TrainedNetwork], taken: Sequence[str]) -> dict[str, TrainedNetwork]:
    """Name each network after its folder. Parent folders are added until all names are unique.

    Args:
        networks: folder -> network.
        taken: names that are already in use.
    """
    networks = {path.absolute(): network for path, network in networks.items()}  # a folder may be given twice
    folders = [*networks]
    names: list[str] = []
    for parts in range(1, max((len(path.parts) for path in folders), default=0) + 1):
        names = ["/".join(path.parts[-parts:]) for path in folders]
        if len({*names, *taken}) == len(names) + len({*taken}):
            break
    return dict(zip(names, networks.values(), strict=True))


def costs_of(network: TrainedNetwork) -> dict[str, float]:
    """Return the costs of a trained network on its chip, in the units of `search.quantities`."""
    genome = np.array([network.genome], dtype=np.int16)
    quantities = Quantities(network.space, genome, network.chip.settings(), together=_COSTS)
    return {name: float(quantities[name][0]) for name in _COSTS}


def _network_as_json(network: TrainedNetwork) -> dict[str, Any]:
    provenance = network.provenance
    return {
        "name": network.name,
        "task": network.task,
        "hardware": network.chip.name,
        "genome": list(network.genome),
        "architecture": network.architecture.to_dict(),
        **{key: provenance.get(key) for key in ("fidelity", "seed", "chips", "measured")},
        "split": network.split,
        "costs": costs_of(network),
    }


def _show_networks(networks: dict[str, TrainedNetwork]) -> None:
    """Print the measured accuracies and the costs of trained networks."""
    rows = []
    for name, one in networks.items():
        measured = one.provenance.get("measured", {})
        rows.append([name, *(_measured(key, measured.get(key)) for key in _MEASURED)])
    render.table(["measured accuracy (%)", *_MEASURED.values()], rows)
    rows = [
        [name, *(WORDS[cost].number(amount) for cost, amount in costs_of(one).items())]
        for name, one in networks.items()
    ]
    render.table(["costs", *(WORDS[cost].label for cost in _COSTS)], rows)
    for name, one in networks.items():
        of = one.provenance
        chips = f"{of['chips']} {one.chip.name} chips" if "chips" in of else f"chip {one.chip.name}"
        images = f"{one.split} images" if "measured" in of else "not measured"
        render.line(f"{name}: {one.architecture}; {one.task}, {chips}, {images}, fidelity {of.get('fidelity')}")


def _measured(name: str, value: object) -> str:
    if not isinstance(value, int | float) or isnan(value):
        return "-"
    return f"{100 * value:{'+' if name == 'avm' else ''}.2f}"


def _texts(columns: list[str], values: list[float] | list[float | None]) -> list[str]:
    return [
        "-" if number is None or isnan(number) else WORDS[name].number(number)
        for name, number in zip(columns, values, strict=True)
    ]
