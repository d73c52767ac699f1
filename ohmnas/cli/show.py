"""`ohmnas show`: print a stored result again, with its drift, measurements and layers."""

from __future__ import annotations

import argparse

from ohmnas.cli import found, render
from ohmnas.report.drift import SECONDS, TARGETS_OVER_TIME, TIME_NAMES
from ohmnas.report.subject import Subject, as_json, read_subject
from ohmnas.targets import DEFAULTS


def run(arguments: argparse.Namespace) -> None:
    """Print the result."""
    one = read_subject(arguments.result, arguments.surrogate)
    if arguments.json:
        render.machine({**one.result.to_dict(), **as_json(one), "result": str(one.path)})
        return
    found.show(one.result, one.path)
    _drift(one)
    _measured(one)
    _layers(one)


def _drift(one: Subject) -> None:
    if not one.drift:
        return
    rows = [
        [
            name,
            *(
                f"{100 * mean:.2f} ({100 * low:.1f} to {100 * high:.1f})"
                for mean, low, high in zip(drift.values, drift.low, drift.high, strict=True)
            ),
        ]
        for name, drift in one.drift.items()
    ]
    render.table(
        ["predicted accuracy (%) after", *(TIME_NAMES[time] for time in SECONDS)], rows, "drift, with 90 % intervals"
    )


def _measured(one: Subject) -> None:
    measurement = one.measurement
    if measurement is None:
        return
    further = [
        name
        for name in TARGETS_OVER_TIME.values()
        if any(network.finite(name) for network in measurement.networks.values())
    ]
    names = list(dict.fromkeys([*(target.name for target in DEFAULTS), *further]))
    rows = []
    for name, network in measurement.networks.items():
        cells = []
        for target in names:
            mean, error = network.mean(target), network.error(target)
            cells.append(
                "-" if mean is None else f"{100 * mean:.2f}" + ("" if error is None else f" ±{100 * error:.2f}")
            )
        rows.append([name, *cells])
    trainings = "1 training run" if measurement.trainings == 1 else f"{measurement.trainings} training runs"
    title = (
        f"measured (%): mean and standard error of {trainings}, {measurement.chips} chips each, "
        f"{measurement.test_images:,} test images"
    )
    render.table(["measured", *names], rows, title)


def _layers(one: Subject) -> None:
    if not one.layers:
        return
    rows = [
        [
            each.name,
            f"{each.placement.count:,}",
            f"{each.placement.params:,}",
            f"{each.placement.macs:,}",
            f"{each.placement.tiles:,}",
            f"{1e6 * each.placement.energy:.4f}",
        ]
        for each in one.layers
    ]
    render.table(["layers", "number", "params", "MACs", "tiles", "energy (µJ)"], rows, "costs of the found network")
