"""`SearchResult`: what a search found, as a record that round-trips through JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from ohmnas.errors import BrokenFileError, OhmnasError
from ohmnas.files import write_atomically
from ohmnas.lookup import check_name
from ohmnas.search import kinds
from ohmnas.search.candidate import Candidate
from ohmnas.search.kinds import as_json
from ohmnas.search.quantities import PREDICTIONS, QUANTITIES
from ohmnas.spaces.codesign import space_of
from ohmnas.spaces.genes import GENES, Population
from ohmnas.spaces.resnet import ResNetSpace

_OF_A_GENERATION: Final = ("iteration", "evaluations", "objective", *PREDICTIONS)
"""What the history has of each, at least."""
_LARGEST_SIZE: Final = 65536
"""Of an image side or a number of classes: larger ones are mistakes, and would overflow the costs."""


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
        values = {
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
        return {key: as_json(value) for key, value in values.items()}


def write_result(path: str | Path, result: SearchResult) -> None:
    """Write a `result.json` in one piece; `ohmnas verify` and `read_result` read it.

    Raises:
        StorageError: the disk is full or refuses; what stood at `path` before still stands there.
    """
    write_atomically(Path(path), json.dumps(result.to_dict(), indent=1) + "\n")


def read_result(path: str | Path) -> SearchResult:
    """Read a `result.json`.

    Raises:
        BrokenFileError: there is no such file, or it is not the result of a search.
    """
    path = Path(path)
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
        return _result(values)
    except KeyError as error:
        raise BrokenFileError(f"{path} is not the result of a search: it lacks {error}") from error
    except (TypeError, ValueError, OverflowError, OhmnasError) as error:
        raise BrokenFileError(f"{path} is not the result of a search: {error}") from error


def _result(values: dict[str, Any]) -> SearchResult:
    """The result of a file's values.

    Raises:
        OhmnasError, KeyError, TypeError, ValueError, OverflowError: a value is missing, or of another kind.
    """
    space = _space(kinds.mapping(values["space"], "space"))
    pareto = _pareto(values)
    return SearchResult(
        Candidate.from_dict(values["best"], space),
        kinds.whole(values["evaluations"], "evaluations"),
        _at_least_0(values["seconds"], "seconds"),
        kinds.whole(values["seed"], "seed"),
        _constraints(kinds.mapping(values["constraints"], "constraints")),
        [_generation(entry) for entry in kinds.sequence(values["history"], "history")],
        space,
        kinds.name(values["strategy"], "strategy"),
        _plain_values(values.get("parameters", {}), "parameters"),
        kinds.text(values["objective"], "objective"),
        kinds.text(values.get("stopped", "iterations"), "stopped"),
        pareto=pareto,
        population=_population(kinds.sequence(values.get("population", []), "population"), space),
        provenance=_provenance(kinds.mapping(values["surrogate"], "surrogate")),
        excluded=tuple(kinds.text(each, "excluded") for each in kinds.sequence(values.get("excluded", []), "excluded")),
        **{
            name: [Candidate.from_dict(one, space) for one in kinds.sequence(values.get(name, []), name)]
            for name in ("top", "front", "references")
        },
    )


def _space(described: dict[str, Any]) -> ResNetSpace:
    name = kinds.text(described["name"], "space")
    sizes = [kinds.whole(size, "input_shape", 1, _LARGEST_SIZE) for size in described["input_shape"]]
    channels, height, width = sizes
    classes = kinds.whole(described["classes"], "number of classes", 1, _LARGEST_SIZE)
    return space_of(name, (channels, height, width), classes)


def _pareto(values: dict[str, Any]) -> tuple[str, ...]:
    """Quantities of the front; refuse a front of what nobody knows."""
    pareto = kinds.sequence(values.get("pareto", []), "pareto")
    for quantity in pareto:
        check_name("quantity", QUANTITIES, kinds.text(quantity, "pareto"))
    if len(pareto) == 1 or (values.get("front") and not pareto):
        raise BrokenFileError("a front is one of at least two quantities")
    return tuple(pareto)


def _generation(entry: object) -> dict[str, float]:
    """An entry of the history; all that it has are numbers."""
    if not isinstance(entry, dict) or not all(kinds.is_number(entry.get(name)) for name in _OF_A_GENERATION):
        raise BrokenFileError(f"its history is not a list of generations with {', '.join(_OF_A_GENERATION)}")
    for name, value in entry.items():
        kinds.number(value, f"history's {name}")
    return entry


def _at_least_0(value: object, what: str) -> float:
    if (number := kinds.number(value, what)) < 0:
        raise BrokenFileError(f"its {what} is {number:g}, but cannot be below 0")
    return number


def _plain_values(values: object, what: str) -> dict[str, Any]:
    """Texts and numbers by name."""
    for name, value in kinds.mapping(values, what).items():
        kinds.plain(value, f"{what}' {name}")
    return cast("dict[str, Any]", values)


def _constraints(values: dict[str, Any]) -> dict[str, Any]:
    """Limits, None for none; soft limits and bounds on genes by name."""
    for name, value in values.items():
        if name == "soft":
            for quantity, limit in kinds.mapping(value, "soft limits").items():
                kinds.number(limit, f"soft limit on {quantity}")
        elif name == "genes":
            for gene, ends in kinds.mapping(value, "bounds on genes").items():
                for end in _two(ends, f"bounds on {gene}"):
                    kinds.plain(end, f"bound on {gene}")
        elif value is not None:
            kinds.number(value, name)
    return values


def _two(values: object, what: str) -> list[Any]:
    if len(ends := kinds.sequence(values, what)) != 2:
        raise BrokenFileError(f"its {what} are not least and most")
    return ends


def _provenance(values: dict[str, Any]) -> dict[str, Any]:
    """What the surrogate was fitted on, as far as it is known."""
    for name, value in values.items():
        if name in {"task", "hardware"}:
            kinds.name(value, f"surrogate's {name}")
        elif name in {"table_sha256", "fidelity"}:
            kinds.text(value, f"surrogate's {name}")
        elif name in {"rows", "networks"}:
            kinds.whole(value, f"surrogate's {name}", 1)
        elif name == "versions":
            for package, version in kinds.mapping(value, f"surrogate's {name}").items():
                kinds.text(version, f"surrogate's {name}, {package}")
        elif name in {"chip", "seen"}:
            for key, one in kinds.mapping(value, f"surrogate's {name}").items():
                if key != "chips":
                    kinds.plain(one, f"surrogate's {name}, {key}")
        else:
            kinds.plain(value, f"surrogate's {name}")
    return values


def _population(rows: list[list[int]], space: ResNetSpace) -> Population:
    return space.check(np.array(rows)) if rows else np.empty((0, len(space.gene_names)), dtype=np.int16)
