"""`SearchResult`: what a search found, as a record that round-trips through JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from ohmnas.errors import BrokenFileError, OhmnasError
from ohmnas.files import write_atomically
from ohmnas.lookup import check_name
from ohmnas.search.candidate import Candidate
from ohmnas.search.quantities import PREDICTIONS, QUANTITIES
from ohmnas.spaces.codesign import space_of
from ohmnas.spaces.genes import GENES, Population
from ohmnas.spaces.resnet import ResNetSpace

_OF_A_GENERATION: Final = ("iteration", "evaluations", "objective", *PREDICTIONS)
"""What the history has of each, at least."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The best feasible architecture of a search, and how it was found."""

    best: Candidate
    """The one with the highest objective; where there is a front, of its members, so that no other dominates it."""
    evaluations: int
    """Architectures that the surrogate was asked about; none twice by one start of the strategy."""
    seconds: float
    """Wall time of the search alone."""
    seed: int
    constraints: dict[str, Any]
    """`Problem.to_dict`: limit -> value, where None is no limit; soft limits and bounds on genes by name."""
    history: list[dict[str, float]]
    """For each generation: iteration, evaluations, feasible share of the births, best objective so far and its
    prediction, whether on the front or not; with a front its hypervolume, after a restart its number."""
    space: ResNetSpace
    strategy: str = "evolution"
    parameters: dict[str, Any] = field(default_factory=dict)
    """Of the strategy, those that the user chose."""
    objective: str = "accuracy_1d / accuracy_1d_std"
    stopped: str = "iterations"
    """What ended it: iterations, seconds, evaluations, patience, nothing new, or interrupted."""
    top: list[Candidate] = field(default_factory=list)
    """Different architectures, the best first, members of the front where there is one; empty unless several were
    asked for."""
    front: list[Candidate] = field(default_factory=list)
    """Those that no other beats in all of `pareto`; empty unless a front was asked for."""
    pareto: tuple[str, ...] = ()
    """Quantities of the front."""
    population: Population = field(default_factory=lambda: np.empty((0, GENES), dtype=np.int16), compare=False)
    """``(k, g)``: the best that were evaluated, for a search that goes on."""
    provenance: dict[str, Any] = field(default_factory=dict)
    """What the surrogate was fitted on."""
    excluded: tuple[str, ...] = ()
    """Checksums of the tables whose architectures were left out."""
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
            **({"parameters": self.parameters} if self.parameters else {}),
            "objective": self.objective,
            "stopped": self.stopped,
            **({"top": [candidate.to_dict() for candidate in self.top]} if self.top else {}),
            **(
                {"pareto": list(self.pareto), "front": [candidate.to_dict() for candidate in self.front]}
                if self.pareto
                else {}
            ),
            "space": {"name": self.space.name, "input_shape": self.space.input_shape, "classes": self.space.classes},
            "surrogate": self.provenance,
            **({"excluded": list(self.excluded)} if self.excluded else {}),
            "references": [reference.to_dict() for reference in self.references],
            "population": self.population.tolist(),
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
    except IsADirectoryError as error:
        message = f"{path} is a folder; the result of a search in it is {path / 'result.json'}"
        raise BrokenFileError(message) from error
    except OSError as error:
        raise BrokenFileError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BrokenFileError(f"{path} is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise BrokenFileError(f"{path} is not the result of a search: it is no JSON object")
    try:
        described = values["space"]
        name = str(described["name"])
        channels, height, width = (int(size) for size in described["input_shape"])
        space = space_of(name, (channels, height, width), int(described["classes"]))
        _check_kinds(values)
        return SearchResult(
            Candidate.from_dict(values["best"], space),
            int(values["evaluations"]),
            float(values["seconds"]),
            int(values["seed"]),
            dict(values["constraints"]),
            list(values["history"]),
            space,
            str(values["strategy"]),
            dict(values.get("parameters", {})),
            str(values["objective"]),
            str(values.get("stopped", "iterations")),
            pareto=tuple(values.get("pareto", ())),
            population=_population(values.get("population", []), space),
            provenance=dict(values["surrogate"]),
            excluded=tuple(map(str, values.get("excluded", ()))),
            **{
                name: [Candidate.from_dict(candidate, space) for candidate in values.get(name, [])]
                for name in ("top", "front", "references")
            },
        )
    except KeyError as error:
        raise BrokenFileError(f"{path} is not the result of a search: it lacks {error}") from error
    except (TypeError, ValueError, OverflowError, OhmnasError) as error:
        raise BrokenFileError(f"{path} is not the result of a search: {error}") from error


def _check_kinds(values: dict[str, Any]) -> None:
    """Refuse lists that are none, a history without its numbers, and a front of what nobody knows."""
    for name in ("history", "references", "top", "front", "pareto", "population"):
        if not isinstance(values.get(name, []), list):
            raise BrokenFileError(f"its {name} is no list")
    for entry in values["history"]:
        if not isinstance(entry, dict) or not all(_is_number(entry.get(name)) for name in _OF_A_GENERATION):
            raise BrokenFileError(f"its history is not a list of generations with {', '.join(_OF_A_GENERATION)}")
    pareto = values.get("pareto", [])
    for name in pareto:
        check_name("quantity", QUANTITIES, name)
    if len(pareto) == 1 or (values.get("front") and not pareto):
        raise BrokenFileError("a front is one of at least two quantities")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < np.inf


def _population(rows: list[list[int]], space: ResNetSpace) -> Population:
    return space.check(np.array(rows)) if rows else np.empty((0, len(space.gene_names)), dtype=np.int16)
