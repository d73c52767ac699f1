"""`Candidate`: one architecture with its costs and what was predicted of it, as people and files see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import BrokenFileError
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
        values = {
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
        return {"name": self.name, **values} if self.name else values

    @classmethod
    def from_dict(cls, values: dict[str, Any], space: ResNetSpace) -> Candidate:
        """Read what `to_dict` gave and check it against the space.

        Raises:
            OhmnasError, KeyError, TypeError, ValueError: something is missing, out of range or contradictory.
        """
        architecture = Architecture.from_dict(values["architecture"])
        if not all(type(gene) is int and abs(gene) < 2**31 for gene in values["genome"]):
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
        predicted = {name: float(values["predicted"][name]) for name in PREDICTIONS}
        interval = {name: _ends(values["interval_90"][name]) for name in PREDICTIONS if "interval_90" in values}
        said = [*predicted.values(), *(end for ends in interval.values() for end in ends)]
        if not all(abs(value) <= 1 for value in said):
            raise BrokenFileError("predictions are fractions")
        costs_said = values.get("costs", {})
        others = {name: float(costs_said[name]) for name in OTHER_COSTS if name in costs_said}
        if not all(0 <= cost < np.inf for cost in others.values()):
            raise BrokenFileError("costs are numbers from 0 on")
        name, misses = str(values.get("name", "")), tuple(map(str, values.get("misses", ())))
        return cls(architecture, tuple(genome[0].tolist()), *costs, predicted, name, interval, others, chip, misses)


def _ends(values: list[float]) -> tuple[float, float]:
    low, high = values
    return float(low), float(high)
