"""`SearchResult`: the result of a search, and its JSON file."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from ohmnas import json_values
from ohmnas.costs.conversion import Conversion
from ohmnas.errors import BrokenFileError, InvalidValueError, OhmnasError, UnknownNameError
from ohmnas.files import LARGEST_RESULT, is_file, read_json, write_atomically
from ohmnas.json_values import as_json
from ohmnas.lookup import check_name
from ohmnas.search.candidate import Candidate
from ohmnas.search.quantity_names import QUANTITIES
from ohmnas.spaces.codesign import space_of
from ohmnas.spaces.genes import Population
from ohmnas.spaces.schedule import Schedule
from ohmnas.spaces.space import Space

if TYPE_CHECKING:
    import pandas as pd

RESULT: Final = "result.json"
"""File name of a result in the output folder."""
_SHOWN: Final = 6
"""Largest number of rows in the notebook table."""
_OF_A_GENERATION: Final = ("iteration", "evaluations", "objective")
"""Required keys of each generation in the history."""


@dataclass(frozen=True, slots=True, repr=False)
class SearchResult:
    """Best feasible architecture of a search, with settings and history."""

    best: Candidate
    """Feasible architecture with the highest objective; with a front, the front's member with the highest objective."""
    evaluations: int
    """Number of evaluated architectures, summed over all starts. A start never evaluates an architecture twice, but
    another start may evaluate it again. A refinement counts its training runs instead."""
    seconds: float
    """Wall time of the search in seconds, including the searches that it resumed."""
    seed: int
    constraints: dict[str, Any]
    """`Problem.constraints`: limit -> value, or None for no limit. Soft limits, bounds on genes, assumptions about
    conversions and the schedule are included if they matter."""
    history: list[dict[str, float]]
    """One entry per generation, from the first generation with a feasible architecture on: iteration, evaluations,
    feasible share of the evaluated architectures, best objective so far, and predictions for the best architecture.
    With a front, its hypervolume is included; from the second start on, so is the index of the restart. A refinement
    has one entry per stage."""
    space: Space
    strategy: str = "evolution"
    parameters: dict[str, Any] = field(default_factory=dict)
    """Parameters of the strategy set by the user."""
    objective: str = "accuracy_1d / accuracy_1d_std"
    stopped: str = "iterations"
    """Why the search ended: iterations, seconds, evaluations, patience, nothing new, interrupted, or skips (two edges
    became skips in a gradient search)."""
    top: list[Candidate] = field(default_factory=list)
    """Diverse architectures, best first; empty unless several were requested. With a front, all are members of it."""
    front: list[Candidate] = field(default_factory=list)
    """Pareto front over `pareto`; empty unless requested."""
    tried: list[Candidate] = field(default_factory=list)
    """Networks that a refinement measured, in the order of their first training runs; otherwise empty."""
    pareto: tuple[str, ...] = ()
    """Quantities of the front; empty without a front."""
    population: Population = field(default_factory=lambda: np.empty((0, 0), dtype=np.int16), compare=False)
    """``(k, g)``: the best feasible architectures, from which the search can be resumed."""
    provenance: dict[str, Any] = field(default_factory=dict)
    """`Estimator.provenance`; for a surrogate, a description of its training data."""
    excluded: tuple[str, ...] = ()
    """Checksums of the tables whose architectures were excluded."""
    references: list[Candidate] = field(default_factory=list)
    """Reference networks within the limits on costs, with predictions."""
    command: tuple[str, ...] = ()
    """Command-line arguments (without ``ohmnas``) that produced the result; empty for results produced in Python."""

    @property
    def extrapolation(self) -> str:
        """Warning if the network is smaller or larger than all measured networks; empty otherwise."""
        seen = self.provenance.get("seen", {})
        for title, cost, name in (("parameters", self.best.params, "params"), ("MACs", self.best.macs, "macs")):
            least, most = seen.get(f"min_{name}"), seen.get(f"max_{name}", math.inf)
            if not (least or 0) <= cost <= most:
                measured = f"at most {most:,}" if least is None else f"{least:,} to {most:,}"
                return (
                    f"the found network has {cost:,} {title}, but the measured networks have {measured}: "
                    "its prediction is extrapolated; limit the search to this range (min_params, max_params, max_macs)"
                )
        return ""

    def to_frame(self) -> pd.DataFrame:
        """Return the found network, the other members of `top`, `front`, `tried` and the references, one row each.

        Returns:
            Columns: `role` (found, top, front, tried, reference), `name`, `architecture`, `params`, `macs`, the
            predictions, `<target>_low` and `<target>_high` (90 % interval), other costs, `chip`.
        """
        import pandas as pd  # slow to import, and a search does not need it

        groups = {
            "found": [self.best],
            "top": self.top[1:],
            "front": self.front,
            "tried": self.tried,
            "reference": self.references,
        }
        rows = []
        for role, members in groups.items():
            for one in members:
                row: dict[str, Any] = {"role": role, "name": one.name, "architecture": str(one.architecture)}
                row |= {"params": one.params, "macs": one.macs, **one.predicted}
                for name, (low, high) in one.interval.items():
                    row |= {f"{name}_low": low, f"{name}_high": high}
                rows.append(row | one.costs | {"chip": one.chip})
        return pd.DataFrame(rows)

    def history_frame(self) -> pd.DataFrame:
        """Return `history`, one row per entry."""
        import pandas as pd

        return pd.DataFrame(self.history)

    def __repr__(self) -> str:
        """Return a two-line summary."""
        summary = f"{self.evaluations:,} {self.space.members} scored with {self.strategy}, seed {self.seed}"
        return f"SearchResult({summary}; maximised {self.objective};\n  best: {self.best!r})"

    def _repr_html_(self) -> str:
        """Return an HTML table for notebooks: the found network and the references."""
        frame = self.to_frame()
        few = frame[frame["role"].isin(["found", "reference"])].head(_SHOWN).drop(columns=["role", "chip"])
        table = few.to_html(index=False, border=0, float_format="{:.4g}".format, na_rep="")
        summary = f"{self.evaluations:,} {self.space.members} scored with {escape(self.strategy)}, seed {self.seed}"
        return f"<p>{summary}; maximised {escape(self.objective)}</p>{table}"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; `best` comes first."""
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
            **({"tried": [candidate.to_dict() for candidate in self.tried]} if self.tried else {}),
            "space": {"name": self.space.name, "input_shape": self.space.input_shape, "classes": self.space.classes},
            "surrogate": self.provenance,
            **({"excluded": list(self.excluded)} if self.excluded else {}),
            "references": [reference.to_dict() for reference in self.references],
            **({"command": list(self.command)} if self.command else {}),
            "population": self.population.tolist(),
        }
        return {key: as_json(value) for key, value in values.items()}


def write_result(path: str | Path, result: SearchResult) -> None:
    """Write a `result.json` atomically; `ohmnas verify` and `read_result` read it.

    Raises:
        StorageError: the write failed; the old file is unchanged.
    """
    write_atomically(Path(path), json.dumps(result.to_dict(), indent=1) + "\n")


def result_file(path: str | Path) -> Path:
    """Return the path of `result.json` in a folder, or the given path if it is not a folder.

    Raises:
        BrokenFileError: the folder has no `result.json`.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    if not is_file(path / RESULT):
        raise BrokenFileError(f"{path} has no {RESULT}: pass the output folder of ohmnas search (--out)")
    return path / RESULT


def read_result(path: str | Path) -> SearchResult:
    """Read a `result.json`.

    Raises:
        BrokenFileError: the file does not exist or is not a search result.
    """
    path = Path(path)
    if path.is_dir():
        raise BrokenFileError(f"{path} is a folder: pass the file {path / 'result.json'}")
    values = read_json(path, LARGEST_RESULT)
    if not isinstance(values, dict):
        raise BrokenFileError(f"{path} is not a search result: it is not a JSON object")
    try:
        return _result(values)
    except KeyError as error:
        raise BrokenFileError(f"{path} is not a search result: it lacks {error}") from error
    except (TypeError, ValueError, OverflowError, OhmnasError) as error:
        raise BrokenFileError(f"{path} is not a search result: {error}") from error


def _result(values: dict[str, Any]) -> SearchResult:
    """Build a result from the values of a file.

    Raises:
        OhmnasError, KeyError, TypeError, ValueError, OverflowError: a value is missing, invalid or of the wrong type.
    """
    space = _space(json_values.mapping(values["space"], "space"))
    pareto = _pareto(values)
    return SearchResult(
        Candidate.from_dict(values["best"], space),
        json_values.whole(values["evaluations"], "evaluations"),
        _at_least_0(values["seconds"], "seconds"),
        json_values.whole(values["seed"], "seed"),
        _constraints(json_values.mapping(values["constraints"], "constraints")),
        [_generation(entry) for entry in json_values.sequence(values["history"], "history")],
        space,
        json_values.name(values["strategy"], "strategy"),
        _plain_values(values.get("parameters", {}), "parameters"),
        json_values.text(values["objective"], "objective"),
        json_values.text(values.get("stopped", "iterations"), "stopped"),
        pareto=pareto,
        population=_population(json_values.sequence(values.get("population", []), "population"), space),
        provenance=_provenance(json_values.mapping(values["surrogate"], "surrogate")),
        excluded=tuple(
            json_values.text(each, "excluded") for each in json_values.sequence(values.get("excluded", []), "excluded")
        ),
        command=tuple(
            json_values.text(word, "command") for word in json_values.sequence(values.get("command", []), "command")
        ),
        **{
            name: [Candidate.from_dict(one, space) for one in json_values.sequence(values.get(name, []), name)]
            for name in ("top", "front", "tried", "references")
        },
    )


def _space(described: dict[str, Any]) -> Space:
    name = json_values.text(described["name"], "space")
    sizes = [json_values.whole(size, "input_shape", 1, json_values.LARGEST_SIZE) for size in described["input_shape"]]
    channels, height, width = sizes
    classes = json_values.whole(described["classes"], "number of classes", 1, json_values.LARGEST_SIZE)
    return space_of(name, (channels, height, width), classes)


def _pareto(values: dict[str, Any]) -> tuple[str, ...]:
    """Return the quantities of the front and check their names."""
    pareto = json_values.sequence(values.get("pareto", []), "pareto")
    for quantity in pareto:
        check_name("quantity", QUANTITIES, json_values.text(quantity, "pareto"))
    if len(pareto) == 1 or (values.get("front") and not pareto):
        raise BrokenFileError("a front needs at least two quantities")
    return tuple(pareto)


def _generation(entry: object) -> dict[str, float]:
    """Check an entry of the history; all values must be numbers."""
    if not isinstance(entry, dict) or not all(json_values.is_number(entry.get(name)) for name in _OF_A_GENERATION):
        raise BrokenFileError(f"its history must be a list of generations with {', '.join(_OF_A_GENERATION)}")
    for name, value in entry.items():
        json_values.number(value, f"history's {name}")
    return entry


def _at_least_0(value: object, what: str) -> float:
    if (number := json_values.number(value, what)) < 0:
        raise BrokenFileError(f"its {what} is {number:g}, but must be at least 0")
    return number


def _plain_values(values: object, what: str) -> dict[str, Any]:
    """Check that all values are strings, numbers, booleans or None, and return them by name."""
    for name, value in json_values.mapping(values, what).items():
        json_values.plain(value, f"{what}' {name}")
    return cast("dict[str, Any]", values)


def _constraints(values: dict[str, Any]) -> dict[str, Any]:
    """Check the values of `SearchResult.constraints` and return them. None means no limit."""
    for name, value in values.items():
        if name in {"soft", "least", "most"}:
            for quantity, limit in json_values.mapping(value, f"{name} limits").items():
                json_values.number(limit, f"{name} limit on {quantity}")
        elif name == "genes":
            for gene, ends in json_values.mapping(value, "bounds on genes").items():
                for end in _two(ends, f"bounds on {gene}"):
                    json_values.plain(end, f"bound on {gene}")
        elif name == "reference":
            json_values.text(value, name)
        elif name == "conversion":
            _conversion(json_values.mapping(value, "assumptions about conversions"))
        elif name == "schedule":
            _schedule(json_values.mapping(value, "schedule"))
        elif value is not None:
            json_values.number(value, name)
    return values


def _conversion(values: dict[str, Any]) -> None:
    """Check the assumptions about conversions.

    Raises:
        BrokenFileError: an assumption is missing, unknown or invalid.
    """
    try:
        Conversion(**values)
    except (TypeError, InvalidValueError, UnknownNameError) as error:
        raise BrokenFileError(f"its assumptions about conversions are invalid: {error}") from error


def _schedule(values: dict[str, Any]) -> None:
    """Check a microcontroller's schedule.

    Raises:
        BrokenFileError: a value is missing, unknown or invalid.
    """
    try:
        Schedule(**values)
    except (TypeError, InvalidValueError) as error:
        raise BrokenFileError(f"its schedule is invalid: {error}") from error


def _two(values: object, what: str) -> list[Any]:
    if len(ends := json_values.sequence(values, what)) != 2:
        raise BrokenFileError(f"its {what} must be a lower and an upper bound")
    return ends


def _provenance(values: dict[str, Any]) -> dict[str, Any]:
    """Check the values of the surrogate's provenance, and return it."""
    for name, value in values.items():
        if name in {"task", "hardware"}:
            json_values.name(value, f"surrogate's {name}")
        elif name in {"table_sha256", "fidelity"}:
            json_values.text(value, f"surrogate's {name}")
        elif name in {"rows", "networks"}:
            json_values.whole(value, f"surrogate's {name}", 1)
        elif name in {"versions", "start_tables"}:
            for key, one in json_values.mapping(value, f"surrogate's {name}").items():
                json_values.text(one, f"surrogate's {name}, {key}")
        elif name in {"chip", "seen"}:
            for key, one in json_values.mapping(value, f"surrogate's {name}").items():
                if key != "chips":
                    json_values.plain(one, f"surrogate's {name}, {key}")
        else:
            json_values.plain(value, f"surrogate's {name}")
    return values


def _population(rows: list[list[int]], space: Space) -> Population:
    return space.check(np.array(rows)) if rows else np.empty((0, len(space.gene_names)), dtype=np.int16)
