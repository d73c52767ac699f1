"""`Subject`: a stored result and all data that a report shows about it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from shlex import quote
from typing import Any, Final

import numpy as np

from ohmnas.costs.conversion import Conversion
from ohmnas.costs.placement import Placement, placements
from ohmnas.datasets.campaign.picks import FOUND, picked
from ohmnas.datasets.tasks.task import task_word
from ohmnas.errors import OhmnasError
from ohmnas.files import is_file
from ohmnas.hardware import hardware, has_name
from ohmnas.hardware.settings import Hardware
from ohmnas.report.drift import TARGETS_OVER_TIME, Drift, predicted_drift, surrogate_of, typical_error
from ohmnas.report.measured import NAME, MeasuredNetwork, Measurement, read_measurement
from ohmnas.report.neighbours import Neighbours, neighbours, table_of
from ohmnas.search.candidate import Candidate
from ohmnas.search.result import SearchResult, read_result, result_file
from ohmnas.targets import ACCURACY, SPREAD, Target, variation_of

TRIALS: Final = ("smoke", "quick")
"""Fidelities of short trial training runs."""
REFERENCES: Final = 3
"""Number of reference networks in tables; further ones are shown if they were measured."""


@dataclass(frozen=True, slots=True)
class LayerCost:
    """Costs of the layers of one kind in the found network."""

    stage: str
    name: str
    placement: Placement


@dataclass(frozen=True, slots=True)
class Subject:
    """A result with its measurements, the drift of its networks, and the neighbours of the found network."""

    name: str
    path: Path
    result: SearchResult
    measurement: Measurement | None
    drift: dict[str, Drift] = field(default_factory=dict)
    """Name in `networks` -> predicted accuracy over time; empty without the surrogate."""
    neighbours: Neighbours | None = None
    """None without the table."""
    typical_error: float | None = None
    """`drift.typical_error` of the found network; None without the surrogate."""

    @property
    def networks(self) -> dict[str, Candidate]:
        """The found network, the first references that differ from it, and all further measured networks, by name."""
        known = [one for one in self.result.references if one.genome != self.result.best.genome]
        networks = {FOUND: self.result.best} | {one.name: one for one in known[:REFERENCES]}
        for name, measured in (self.measurement.networks if self.measurement else {}).items():
            if name not in networks:
                with suppress(OhmnasError):  # the measured network is not in this result
                    candidate = picked(self.result, [name])[name]
                    if candidate.genome == measured.genome != self.result.best.genome:
                        networks[name] = candidate
        return networks

    @property
    def task(self) -> str:
        """Name of the task."""
        return str(self.result.provenance.get("task", "an unknown task"))

    @property
    def chip_name(self) -> str:
        """Name of the chip of the found network."""
        return self.result.best.chip or str(self.result.provenance.get("hardware", "an unknown chip"))

    @property
    def reference_found(self) -> str:
        """Name of the reference network that was found; empty if the found network is not a reference."""
        return next((one.name for one in self.result.references if one.genome == self.result.best.genome), "")

    def found_name(self, several: bool) -> str:
        """Name of the found network on a page with one or several results."""
        return self.name if several else FOUND

    @property
    def anchor(self) -> str:
        """The name as part of a link; characters other than ASCII letters and digits become their codes.

        Different names have different anchors.
        """
        return "".join(char if char.isascii() and char.isalnum() else f"-{ord(char):x}-" for char in self.name)

    @property
    def targets(self) -> tuple[Target, ...]:
        """Accuracy, its standard deviation, and the variation that the result's surrogate predicts."""
        return ACCURACY, SPREAD, variation_of(self.result.best.predicted)

    @property
    def flags(self) -> str:
        """Flags of commands that measure: the task, the file of a custom chip, and the fidelity after a trial."""
        chip = str(self.result.provenance.get("hardware", ""))
        file = "" if self.result.best.chip or not chip or has_name(chip) else f" --hardware {quote(chip + '.toml')}"
        effort = "table" if self.is_trial else self.fidelity
        fidelity = f" --fidelity {quote(effort)}" if self.is_refined and effort != self.fidelity else ""
        return f"--task {quote(task_word(self.task))}{fidelity}{file}"

    @property
    def is_refined(self) -> bool:
        """True for the result of a refinement: its networks were measured on validation images."""
        return self.result.best.trainings > 0

    @property
    def fidelity(self) -> str:
        """Fidelity of the training runs that predictions are based on; after a refinement, also of its measurements."""
        return str(self.result.provenance.get("fidelity", "unknown"))

    @property
    def is_trial(self) -> bool:
        """True for a refinement whose training runs were short trials."""
        return self.is_refined and self.fidelity in TRIALS

    @property
    def measured_best(self) -> MeasuredNetwork | None:
        """Measurement of the found network; None if there is none, or if all its training runs diverged."""
        network = self.measured_network(FOUND, self.result.best)
        return network if network is not None and network.finite("accuracy_1d") else None

    def measured_network(self, name: str, candidate: Candidate) -> MeasuredNetwork | None:
        """Return the measurement of a network on test images; None if this very network was not measured."""
        network = None if self.measurement is None else self.measurement.networks.get(name)
        return network if network is not None and network.genome == candidate.genome else None

    def labels(self, candidate: Candidate) -> dict[str, float]:
        """Return the values of a network in the surrogate's table, by column.

        Empty without the table, if it lacks the network, or after a refinement, which measures its networks itself.
        """
        return {} if self.neighbours is None or self.is_refined else self.neighbours.labels(candidate.genome)

    @property
    def chip(self) -> dict[str, float] | None:
        """`Hardware.settings()` of the chip of the found network; None if unknown."""
        if self.result.best.chip:
            return hardware(self.result.best.chip).settings()
        known = Hardware().settings()
        settings = {name: value for name, value in self.result.provenance.get("chip", {}).items() if name in known}
        return {name: float(value) for name, value in settings.items()} if len(settings) == len(known) else None

    @property
    def layers(self) -> list[LayerCost]:
        """Costs of the found network by kind of layer; empty if the chip is unknown."""
        chip, space, best = self.chip, self.result.space, self.result.best
        if chip is None:
            return []
        kinds = {
            kind: (stage.title, name) for stage in space.stages(best.architecture) for kind, name in stage.kinds.items()
        }
        layers = space.layers(np.array([best.genome], dtype=np.int16))
        assumed = Conversion(**self.result.constraints.get("conversion", {}))
        return [LayerCost(*kinds[each.kind], each) for each in placements(layers, chip, assumed)]


def as_json(one: Subject) -> dict[str, Any]:
    """Return drift, measurements and layer costs of a result as JSON values."""
    values: dict[str, Any] = {}
    if one.drift:
        values["drift"] = {
            name: {
                target: {"predicted": mean, "interval_90": [low, high]}
                for target, mean, low, high in zip(
                    TARGETS_OVER_TIME.values(), drift.values, drift.low, drift.high, strict=True
                )
            }
            for name, drift in one.drift.items()
        }
    if one.measurement is not None:
        values["measured"] = {
            name: {target: {"mean": network.mean(target), "error": network.error(target)} for target in network.values}
            for name, network in one.measurement.networks.items()
        }
    values["layers"] = [
        {
            "layers": each.name,
            "number": each.placement.count,
            "params": each.placement.params,
            "macs": each.placement.macs,
            "tiles": each.placement.tiles,
            "energy": each.placement.energy,
        }
        for each in one.layers
    ]
    return values


def read_subject(path: str | Path, surrogate: str | None = None, table: str | None = None) -> Subject:
    """Read a result and the measurements beside it.

    Args:
        path: a `result.json`, or its folder.
        surrogate: file of the surrogate of the result; None uses the shipped surrogate if the result used it.
        table: file of the surrogate's table; None uses the shipped table if the surrogate was trained on it.

    Raises:
        BrokenFileError: a file cannot be read.
        InvalidValueError: the result used another surrogate, or its surrogate another table.
        UnknownNameError: the table does not exist.
    """
    path = result_file(path)
    result = read_result(path)
    beside = path.with_name(NAME)
    measurement = read_measurement(beside, result.space) if is_file(beside) else None
    one = Subject(path.absolute().parent.name, path, result, measurement)
    model, rows = surrogate_of(result, surrogate), table_of(result, table)
    drift: list[Drift] = [] if model is None else predicted_drift(model, [*one.networks.values()])
    return Subject(
        one.name,
        path,
        result,
        measurement,
        dict(zip(one.networks, drift, strict=True)) if drift else {},
        None if rows is None else neighbours(result, rows),
        None if model is None else typical_error(model, result.best),
    )


def read_subjects(paths: Sequence[str | Path], surrogate: str | None = None, table: str | None = None) -> list[Subject]:
    """Read several results. Results with the same name get a number.

    Raises:
        OhmnasError: see `read_subject`.
    """
    subjects = [read_subject(path, surrogate, table) for path in paths]
    names = [one.name for one in subjects]
    taken = {name for name in names if names.count(name) == 1}
    for place, one in enumerate(subjects):
        if one.name not in taken:
            free = (f"{one.name} ({number})" for number in range(place + 1, place + 2 + 2 * len(names)))
            subjects[place] = replace(one, name=next(name for name in free if name not in taken))
            taken.add(subjects[place].name)
    return subjects
