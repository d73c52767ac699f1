"""`Candidate`: one architecture with its costs and what was predicted of it, as people and files see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import BrokenFileError
from ohmnas.search import kinds
from ohmnas.search.quantities import PREDICTIONS
from ohmnas.spaces.architecture import Architecture
from ohmnas.spaces.genes import GENES
from ohmnas.spaces.resnet import ResNetSpace

OTHER_COSTS: Final = ("size", "memory", "tiles", "cells", "energy", "latency")
"""Costs beside parameters and MACs; units as in `search.quantities`."""
COVERAGE = 0.9
"""Of the intervals beside predictions."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One architecture with its exact costs and what was predicted of it."""

    architecture: Architecture
    genome: tuple[int, ...]
    params: int
    macs: int
    predicted: dict[str, float]
    """Accuracy one day after programming, its standard deviation, AVM; fractions."""
    name: str = ""
    """Of a reference network; empty for a found one."""
    interval: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Prediction -> low and high end of what `COVERAGE` of all labels lie within; empty if nobody says."""
    costs: dict[str, float] = field(default_factory=dict)
    """Those of `OTHER_COSTS` that are known; those on tiles are of its chip, or else the surrogate's."""
    chip: str = ""
    """What `hardware` knows the chip by that was found with it; empty where chips are not searched."""
    misses: tuple[str, ...] = ()
    """Limits on predictions that it misses: a reference may."""

    @property
    def network(self) -> npt.NDArray[np.int16]:
        """``(g,)``: the genome without the genes of a chip."""
        return np.array(self.genome[:GENES], dtype=np.int16)

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
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
        values = kinds.as_json(values)
        return {"name": self.name, **values} if self.name else values

    @classmethod
    def from_dict(cls, values: dict[str, Any], space: ResNetSpace) -> Candidate:
        """Read what `to_dict` gave and check it against the space.

        Raises:
            OhmnasError, KeyError, TypeError, ValueError: something is missing, out of range or contradictory.
        """
        values = kinds.mapping(values, "candidate")
        architecture = Architecture.from_dict(values["architecture"])
        for gene in kinds.sequence(values["genome"], "genome"):
            if type(gene) is not int or abs(gene) >= 2**31:
                raise BrokenFileError("a genome is a list of whole numbers")
        genome = space.check(np.array([values["genome"]], dtype=np.int64))
        chip = space.chip_names(genome)[0]  # the genome says it: no file is looked for
        if values.get("chip", "") != chip:
            raise BrokenFileError("genome and chip are not the same")
        if not np.array_equal(genome[:, :GENES], ResNetSpace.encode(space, [architecture])):
            raise BrokenFileError("genome and architecture are not the same network")
        table = space.layer_table(genome)
        costs = int(table.params()[0]), int(table.macs()[0])
        if costs != (values["params"], values["macs"]):
            raise BrokenFileError(f"the genome has {costs[0]} parameters and {costs[1]} MACs, the file says otherwise")
        said = kinds.mapping(values["predicted"], "predicted")
        interval: dict[str, tuple[float, float]] = {}
        predicted = {name: _fraction(said[name], name) for name in PREDICTIONS}
        if "interval_90" in values:
            ends = kinds.mapping(values["interval_90"], "interval_90")
            interval = {name: _ends(ends[name], name) for name in PREDICTIONS}
        costs_said = kinds.mapping(values.get("costs", {}), "costs")
        others: dict[str, float] = {
            name: kinds.number(costs_said[name], name) for name in OTHER_COSTS if name in costs_said
        }
        if not all(cost >= 0 for cost in others.values()):
            raise BrokenFileError("costs are numbers from 0 on")
        name = kinds.name(values["name"], "reference's name") if "name" in values else ""
        misses = tuple(kinds.text(limit, "misses") for limit in kinds.sequence(values.get("misses", []), "misses"))
        return cls(architecture, tuple(genome[0].tolist()), *costs, predicted, name, interval, others, chip, misses)


def _fraction(value: object, name: str) -> float:
    if abs(number := kinds.number(value, name)) > 1:
        raise BrokenFileError(f"predictions are fractions, but {name} is {number:g}")
    return number


def _ends(values: object, name: str) -> tuple[float, float]:
    low, high = (_fraction(end, name) for end in kinds.sequence(values, f"interval of {name}"))
    return low, high
