"""`SearchResult`: what a search found, as a record that round-trips through JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ohmnas.errors import BrokenFileError, OhmnasError
from ohmnas.files import write_atomically
from ohmnas.spaces.architecture import Architecture
from ohmnas.spaces.resnet import ResNetSpace

PREDICTED = ("accuracy_1d", "accuracy_1d_std", "avm")
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

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        values = {
            "architecture": self.architecture.to_dict(),
            "genome": list(self.genome),
            "params": self.params,
            "macs": self.macs,
            "predicted": self.predicted,
        }
        if self.interval:
            values["interval_90"] = {name: list(ends) for name, ends in self.interval.items()}
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
        if not np.array_equal(genome, space.encode([architecture])):
            raise BrokenFileError("genome and architecture are not the same network")
        table = space.layer_table(genome)
        costs = int(table.params()[0]), int(table.macs()[0])
        if costs != (values["params"], values["macs"]):
            raise BrokenFileError(f"the genome has {costs[0]} parameters and {costs[1]} MACs, the file says otherwise")
        predicted = {name: float(values["predicted"][name]) for name in PREDICTED}
        interval = {name: _ends(values["interval_90"][name]) for name in PREDICTED if "interval_90" in values}
        said = [*predicted.values(), *(end for ends in interval.values() for end in ends)]
        if not all(abs(value) <= 1 for value in said):
            raise BrokenFileError("predictions are fractions")
        return cls(architecture, tuple(genome[0].tolist()), *costs, predicted, str(values.get("name", "")), interval)


def _ends(values: list[float]) -> tuple[float, float]:
    low, high = values
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The best feasible architecture of a search, and how it was found."""

    best: Candidate
    evaluations: int
    """Architectures that the surrogate was asked about; none twice."""
    seconds: float
    """Wall time of the search alone."""
    seed: int
    constraints: dict[str, float | None]
    """Limit -> value; None is no limit."""
    history: list[dict[str, float]]
    """For each generation: iteration, evaluations, feasible share of the births, best objective and its prediction."""
    space: ResNetSpace
    strategy: str = "evolution"
    objective: str = "accuracy_1d / accuracy_1d_std"
    provenance: dict[str, Any] = field(default_factory=dict)
    """What the surrogate was fitted on."""
    references: list[Candidate] = field(default_factory=list)
    """Known networks that meet the same cost limits, with what is predicted of them."""

    def to_dict(self) -> dict[str, Any]:
        """JSON values; `best` comes first."""
        return {
            "best": self.best.to_dict(),
            "evaluations": self.evaluations,
            "seconds": self.seconds,
            "seed": self.seed,
            "constraints": self.constraints,
            "history": self.history,
            "strategy": self.strategy,
            "objective": self.objective,
            "space": {"name": self.space.name, "input_shape": self.space.input_shape, "classes": self.space.classes},
            "surrogate": self.provenance,
            "references": [reference.to_dict() for reference in self.references],
        }


def write_result(path: Path, result: SearchResult) -> None:
    """Write a `result.json` in one piece; `ohmnas verify` and `read_result` read it.

    Raises:
        StorageError: the disk is full or refuses; what stood at `path` before still stands there.
    """
    write_atomically(path, json.dumps(result.to_dict(), indent=1) + "\n")


def read_result(path: Path) -> SearchResult:
    """Read a `result.json`.

    Raises:
        BrokenFileError: there is no such file, or it is not the result of a search.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BrokenFileError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BrokenFileError(f"{path} is not JSON: {error}") from error
    try:
        described = values["space"]
        if described["name"] != ResNetSpace.name:
            raise BrokenFileError(f"it is of the space {described['name']!r}, not of {ResNetSpace.name!r}")
        channels, height, width = (int(size) for size in described["input_shape"])
        space = ResNetSpace((channels, height, width), int(described["classes"]))
        if not all(isinstance(entry, dict) for entry in values["history"]):
            raise BrokenFileError("its history is not a list of generations")
        return SearchResult(
            Candidate.from_dict(values["best"], space),
            int(values["evaluations"]),
            float(values["seconds"]),
            int(values["seed"]),
            dict(values["constraints"]),
            list(values["history"]),
            space,
            str(values["strategy"]),
            str(values["objective"]),
            dict(values["surrogate"]),
            [Candidate.from_dict(reference, space) for reference in values["references"]],
        )
    except KeyError as error:
        raise BrokenFileError(f"{path} is not the result of a search: it lacks {error}") from error
    except (TypeError, ValueError, OverflowError, OhmnasError) as error:
        raise BrokenFileError(f"{path} is not the result of a search: {error}") from error
