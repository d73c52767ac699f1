"""Every training that a verification has measured, in a file beside its result."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import ohmnas
from ohmnas.files import write_atomically
from ohmnas.search.candidate import Candidate
from ohmnas.search.quantities import PREDICTIONS

MEASURED: Final = (*PREDICTIONS, "accuracy_digital")
"""Of each training, means and spread over its chips."""


@dataclass(frozen=True, slots=True)
class Part:
    """One training of a candidate."""

    measured: dict[str, float] | None
    """Those of `MEASURED`; None where the training diverged."""
    reason: str = ""
    """Why it diverged or was given up; empty where all went well."""

    def __getitem__(self, head: str) -> float | None:
        """What was measured of it."""
        return None if self.measured is None else self.measured[head]


class Parts:
    """Trainings are done once: after an interruption, and where more or others are asked for later."""

    def __init__(self, path: Path, how: tuple[Any, ...]) -> None:
        """Read what earlier runs left, of this way to measure and of others."""
        self._path = path
        self._how = repr((how, ohmnas.__version__))
        self._of_all: dict[str, dict[str, Part]] = {}
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):  # a broken one is as good as none
            for way, done in json.loads(path.read_text(encoding="utf-8")).items():
                self._of_all[way] = {key: _read(part) for key, part in done.items()}
        self._done = self._of_all.setdefault(self._how, {})

    def __contains__(self, one: tuple[Candidate, int]) -> bool:
        """Whether one training of a candidate is done."""
        return self.key(*one) in self._done

    def __getitem__(self, one: tuple[Candidate, int]) -> Part:
        """What came of it."""
        return self._done[self.key(*one)]

    def note(self, candidate: Candidate, training: int, part: Part) -> None:
        """Keep it."""
        self._done[self.key(candidate, training)] = part
        kept = {way: {key: asdict(one) for key, one in done.items()} for way, done in self._of_all.items()}
        write_atomically(self._path, json.dumps(kept))

    @staticmethod
    def key(candidate: Candidate, training: int) -> str:
        """What tells trainings apart."""
        return f"{training}: {candidate.genome}"


def _read(part: dict[str, Any]) -> Part:
    measured = part["measured"]
    numbers = None if measured is None else {head: float(measured[head]) for head in MEASURED}
    return Part(numbers, str(part["reason"]))
