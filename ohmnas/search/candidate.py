"""`Candidate`: one architecture with its costs and predictions, for printing and files."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ohmnas import json_values
from ohmnas.errors import BrokenFileError, InvalidValueError, shown
from ohmnas.lookup import look_up
from ohmnas.spaces.space import Architecture, Space
from ohmnas.targets import TARGETS

if TYPE_CHECKING:
    from torch import nn

OTHER_COSTS: Final = ("size", "memory", "tiles", "cells", "energy", "latency")
"""Costs besides parameters and MACs; units as in `search.quantities`."""
_FOLDER: Final = re.compile(r"\w[\w.-]*")
COVERAGE = 0.9
"""Coverage of the prediction intervals."""


@dataclass(frozen=True, slots=True, repr=False)
class Candidate:
    """One architecture with exact costs and predictions."""

    architecture: Architecture
    genome: tuple[int, ...]
    params: int
    macs: int
    predicted: dict[str, float]
    """Target -> prediction, within the range of the target."""
    name: str = ""
    """Name of a reference network; empty for a found one."""
    interval: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Target -> ends of the prediction interval with coverage `COVERAGE`; empty if the estimator has no quantiles."""
    costs: dict[str, float] = field(default_factory=dict)
    """Known costs among `OTHER_COSTS`. Costs on tiles are for the candidate's chip; without one, for the problem's."""
    chip: str = ""
    """Name of the chip, as `hardware` accepts it; empty if chips are not searched."""
    misses: tuple[str, ...] = ()
    """Violated limits on predictions; empty except for reference networks."""
    measured: dict[str, float] = field(default_factory=dict)
    """Target -> mean measurement on validation images; empty unless a refinement measured the network. If it
    did, `predicted` is the best estimate from `measured` and `held_out`."""
    held_out: dict[str, float] = field(default_factory=dict)
    """Target -> prediction by surrogates fitted without the measurement of this network."""
    trainings: int = 0
    """Number of measured training runs."""
    weights: tuple[str, ...] = ()
    """Names of the folders of trained networks that were kept, in ``networks`` next to the result of a refinement."""

    space: Space | None = field(default=None, compare=False, repr=False)
    """Space of the genome; None if unknown."""

    @property
    def network(self) -> npt.NDArray[np.int16]:
        """``(g,)``: the genome without the genes of a chip."""
        genes = len(self.genome) if self.space is None else len(self.space.networks.genes)
        return np.array(self.genome[:genes], dtype=np.int16)

    def build(self) -> nn.Module:
        """Build the network in PyTorch with random initial weights. Needs torch.

        Raises:
            InvalidValueError: the candidate has no space.
        """
        if self.space is None:
            raise InvalidValueError("this candidate has no space: build it with Space.build(candidate.architecture)")
        return self.space.networks.build(self.architecture)

    def __repr__(self) -> str:
        """Return a one-line summary."""
        named = f"{self.name}: " if self.name else ""
        predicted = ", ".join(f"{name} {value:.4f}" for name, value in self.predicted.items())
        return f"Candidate({named}{self.architecture}; {self.params:,} parameters; {predicted})"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        values: dict[str, Any] = {
            "architecture": self.architecture.to_dict(),
            "genome": list(self.genome),
            "params": self.params,
            "macs": self.macs,
            "predicted": self.predicted,
        }
        if self.chip:
            values["chip"] = self.chip
        if self.misses:
            values["misses"] = list(self.misses)
        if self.interval:
            values["interval_90"] = {name: list(ends) for name, ends in self.interval.items()}
        if self.costs:
            values["costs"] = self.costs
        if self.trainings:
            values |= {"measured": self.measured, "held_out": self.held_out, "trainings": self.trainings}
        if self.weights:
            values["weights"] = list(self.weights)
        values = json_values.as_json(values)
        return {"name": self.name, **values} if self.name else values

    @classmethod
    def from_dict(cls, values: dict[str, Any], space: Space) -> Candidate:
        """Read the values of `to_dict` and check them against the space.

        Raises:
            OhmnasError, KeyError, TypeError, ValueError: a value is missing, out of range or contradictory.
        """
        values = json_values.mapping(values, "candidate")
        architecture = space.architecture(json_values.mapping(values["architecture"], "architecture"))
        for gene in json_values.sequence(values["genome"], "genome"):
            if type(gene) is not int or abs(gene) >= 2**31:
                raise BrokenFileError("a genome must be a list of whole numbers")
        genome = space.check(np.array([values["genome"]], dtype=np.int64))
        chip = space.chip_names(genome)[0]  # from the genome: no chip file is read
        if values.get("chip", "") != chip:
            raise BrokenFileError("genome and chip do not match")
        network = space.networks.encode([architecture])
        if not np.array_equal(genome[:, : network.shape[1]], network):
            raise BrokenFileError("genome and architecture do not match")
        layers = space.layers(genome)
        params, macs = int(layers.params()[0]), int(layers.macs()[0])
        if (params, macs) != (values["params"], values["macs"]):
            raise BrokenFileError(f"the genome has {params} parameters and {macs} MACs, which does not match the file")
        estimates = json_values.mapping(values["predicted"], "predicted")
        interval: dict[str, tuple[float, float]] = {}
        predicted = {look_up("target", TARGETS, name).name: _possible(value, name) for name, value in estimates.items()}
        if not predicted:
            raise BrokenFileError("a candidate has no predictions")
        if "interval_90" in values:
            ends = json_values.mapping(values["interval_90"], "interval_90")
            interval = {name: _ends(ends[name], name) for name in predicted}
        known_costs = json_values.mapping(values.get("costs", {}), "costs")
        others: dict[str, float] = {
            name: json_values.number(known_costs[name], name) for name in OTHER_COSTS if name in known_costs
        }
        if not all(cost >= 0 for cost in others.values()):
            raise BrokenFileError("costs must be numbers, 0 or more")
        name = json_values.name(values["name"], "reference's name") if "name" in values else ""
        misses = tuple(
            json_values.text(limit, "misses") for limit in json_values.sequence(values.get("misses", []), "misses")
        )
        trainings = json_values.whole(values.get("trainings", 0), "trainings")
        weights = tuple(_folder(one) for one in json_values.sequence(values.get("weights", []), "weights"))
        measured, held_out = (
            {
                look_up("target", TARGETS, target).name: _possible(value, target)
                for target, value in json_values.mapping(values.get(key, {}), key).items()
            }
            for key in ("measured", "held_out")
        )
        return cls(
            architecture=architecture,
            genome=tuple(genome[0].tolist()),
            params=params,
            macs=macs,
            predicted=predicted,
            name=name,
            interval=interval,
            costs=others,
            chip=chip,
            misses=misses,
            measured=measured,
            held_out=held_out,
            trainings=trainings,
            weights=weights,
            space=space,
        )


def _folder(value: object) -> str:
    """Check that the value is the name of a folder, not a path, and return it."""
    name = json_values.name(value, "folder of weights")
    if not _FOLDER.fullmatch(name):
        raise BrokenFileError(f"weights must be names of folders, not {shown(name)}")
    return name


def _possible(value: object, name: str) -> float:
    """Check that a value is within the range of its target, and return it."""
    one, number = look_up("target", TARGETS, name), json_values.number(value, name)
    if not one.low <= number <= one.high:
        raise BrokenFileError(f"{name} must be from {one.low:g} to {one.high:g}, not {number:g}")
    return number


def _ends(values: object, name: str) -> tuple[float, float]:
    low, high = (_possible(end, name) for end in json_values.sequence(values, f"interval of {name}"))
    if low > high:
        raise BrokenFileError(f"the interval of {name} is from {low:g} to {high:g}: its ends are in the wrong order")
    return low, high
