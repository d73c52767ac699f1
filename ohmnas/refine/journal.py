"""`Journal`: the stages of a refinement. If it has a file, each stage is written to disk before it is measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from ohmnas.errors import BrokenFileError, InvalidValueError, shown
from ohmnas.files import LARGEST_RESULT, read_json, write_atomically

VERSION: Final = 1
"""Version of the file format."""
KINDS: Final = ("plan", "round", "repeat")
"""`plan`: first networks, chosen without a surrogate. `round`: networks chosen with a surrogate. `repeat`: the best
networks, trained again."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One requested training run."""

    genome: tuple[int, ...]
    seed: int
    """Seed of the measurement."""
    part: str
    """Why the network was chosen: one of `batch.Part`."""
    predicted: Mapping[str, float] = field(default_factory=dict)
    """Target -> prediction before the measurement; empty without a surrogate."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its training runs and its outcome."""

    kind: str
    """One of `KINDS`."""
    chosen: tuple[Chosen, ...]
    outcome: Mapping[str, float] | None = None
    """Entry of `SearchResult.history`; None until the stage is complete."""


class Journal:
    """The stages of a refinement. With a file, each stage is written before its first training run begins."""

    def __init__(self, path: Path | None, asked: Mapping[str, Any]) -> None:
        """Read the stages of earlier runs.

        Args:
            path: the file; None keeps the stages in memory.
            asked: JSON values that identify the refinement; the journal of another refinement is rejected.

        Raises:
            BrokenFileError: the file is not a journal.
            InvalidValueError: the file belongs to another refinement; the message shows the first difference.
        """
        self._path = path
        self._asked = json.loads(json.dumps(asked))
        self.stages: list[Stage] = []
        if path is not None and path.exists():
            there, self.stages = _read(path)
            if there != self._asked:
                raise InvalidValueError(f"{path} belongs to another refinement ({_difference(there, self._asked)})")

    @property
    def trainings(self) -> int:
        """Number of training runs of all stages."""
        return sum(len(stage.chosen) for stage in self.stages)

    @property
    def repeats_at_the_end(self) -> int:
        """Number of consecutive repeat stages at the end."""
        kinds = [stage.kind for stage in reversed(self.stages)]
        return next((place for place, kind in enumerate(kinds) if kind != "repeat"), len(kinds))

    def count(self, kind: str) -> int:
        """Number of stages of a kind."""
        return sum(stage.kind == kind for stage in self.stages)

    def begin(self, stage: Stage) -> None:
        """Add a stage.

        Raises:
            StorageError: the file could not be written.
        """
        self.stages.append(stage)
        self._write()

    def end(self, outcome: Mapping[str, float]) -> None:
        """Add the outcome of the last stage.

        Raises:
            StorageError: the file could not be written.
        """
        self.stages[-1] = replace(self.stages[-1], outcome=dict(outcome))
        self._write()

    def _write(self) -> None:
        if self._path is not None:
            values = {"version": VERSION, "asked": self._asked, "stages": [asdict(stage) for stage in self.stages]}
            write_atomically(self._path, json.dumps(values, indent=1) + "\n")


def belongs_to(path: Path, asked: Mapping[str, Any]) -> bool:
    """Return True if a file is the journal of the refinement with these identifying values."""
    try:
        return bool(_read(path)[0] == json.loads(json.dumps(asked)))
    except BrokenFileError:
        return False


def _read(path: Path) -> tuple[dict[str, Any], list[Stage]]:
    values = read_json(path, LARGEST_RESULT)
    try:
        if not isinstance(values, dict):
            raise ValueError("its content is not a JSON object")
        if values["version"] != VERSION:
            raise BrokenFileError(
                f"{path} is a journal of version {shown(values['version'])}, but this version of ohmnas reads version "
                f"{VERSION}"
            )
        return dict(values["asked"]), [_stage(stage) for stage in values["stages"]]
    except KeyError as error:
        raise BrokenFileError(f"{path} is not a refinement journal: it lacks {error}") from error
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        if isinstance(error, BrokenFileError):
            raise
        raise BrokenFileError(f"{path} is not a refinement journal: {error}") from error


def _stage(values: dict[str, Any]) -> Stage:
    if values["kind"] not in KINDS:
        raise ValueError(f"{shown(values['kind'])} is not a kind of stage")
    chosen = tuple(
        Chosen(
            tuple(int(gene) for gene in one["genome"]), int(one["seed"]), str(one["part"]), _numbers(one["predicted"])
        )
        for one in values["chosen"]
    )
    return Stage(values["kind"], chosen, None if values["outcome"] is None else _numbers(values["outcome"]))


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    """Check that all values are numbers and return them. Whole numbers stay ints."""
    if not all(isinstance(value, int | float) for value in values.values()):
        raise ValueError("its values must be numbers")
    return {str(name): value for name, value in values.items()}


def _difference(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    nothing = object()
    name = next(name for name in dict.fromkeys((*then, *now)) if then.get(name, nothing) != now.get(name, nothing))
    texts = [shown(values[name]) if name in values else "missing" for values in (then, now)]
    return f"{name}: {texts[0]} then, {texts[1]} now"
