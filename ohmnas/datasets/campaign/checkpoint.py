"""`Checkpoint`: the finished training runs of a verification, in a file next to its result."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ohmnas.datasets.tables.schema import SPREAD_COLUMNS
from ohmnas.errors import OhmnasError
from ohmnas.files import LARGEST_RESULT, read_json, write_atomically
from ohmnas.search.candidate import Candidate
from ohmnas.targets import DEFAULTS
from ohmnas.version import version

MEASURED: Final = (*(target.name for target in DEFAULTS), "accuracy_digital")
"""Values of each training run: means and standard deviations over its chips, and the digital accuracy."""
FURTHER: Final = ("accuracy_1s", "accuracy_1h", "accuracy_1mo", *SPREAD_COLUMNS)
"""Values of each training run that older files lack: accuracies at times other than 1 day, and the components of the
spread."""


@dataclass(frozen=True, slots=True)
class Trained:
    """One training run of a candidate."""

    measured: dict[str, float] | None
    """Values of `MEASURED` and `FURTHER`; None if the training run diverged."""
    reason: str = ""
    """Reason why it diverged or was given up; empty otherwise."""
    kept: str = ""
    """Folder of the trained network; empty if it was not kept."""

    def __getitem__(self, target: str) -> float | None:
        """Return a measured value; None if the training run diverged, or an older file lacks it."""
        return None if self.measured is None else self.measured.get(target)


class Checkpoint:
    """Finished training runs of a verification. A repeated command reads them instead of training again."""

    def __init__(self, path: Path | None, how: str) -> None:
        """Read the training runs that earlier commands stored.

        Args:
            path: file of the checkpoint; None stores nothing. A broken file is ignored.
            how: `Protocol.key`. Training runs with a different key or from a different version stay in the file but are
                not used.
        """
        self._path = path
        self._how = repr((how, version()))
        self._of_all: dict[str, dict[str, Trained]] = {}
        with suppress(OhmnasError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
            stored = {} if path is None else read_json(path, LARGEST_RESULT)
            for way, done in stored.items():
                self._of_all[way] = {key: _read(part) for key, part in done.items()}
        self._done = self._of_all.setdefault(self._how, {})

    def __contains__(self, one: tuple[Candidate, int]) -> bool:
        """Return True if the training run of a candidate with a seed is stored."""
        return self.key(*one) in self._done

    def __getitem__(self, one: tuple[Candidate, int]) -> Trained:
        """Return the training run of a candidate with a seed."""
        return self._done[self.key(*one)]

    def note(self, candidate: Candidate, training: int, part: Trained) -> None:
        """Store a training run."""
        self._done[self.key(candidate, training)] = part
        kept = {way: {key: asdict(one) for key, one in done.items()} for way, done in self._of_all.items()}
        if self._path is not None:
            write_atomically(self._path, json.dumps(kept))

    @staticmethod
    def key(candidate: Candidate, training: int) -> str:
        """Return the key of a training run in the file."""
        return f"{training}: {candidate.genome}"


def _read(part: dict[str, Any]) -> Trained:
    measured = part["measured"]
    there = () if measured is None else (*MEASURED, *(target for target in FURTHER if measured.get(target) is not None))
    numbers = None if measured is None else {target: float(measured[target]) for target in there}
    if numbers is not None and not all(math.isfinite(number) for number in numbers.values()):
        raise ValueError("a value is not a number")
    return Trained(numbers, str(part["reason"]), str(part.get("kept", "")))
