"""What a verification has measured while it goes on, in a file beside its result."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import ohmnas
from ohmnas.files import write_atomically
from ohmnas.search.candidate import Candidate
from ohmnas.search.quantities import PREDICTIONS

MEASURED: Final = (*PREDICTIONS, "accuracy_digital")
"""Of each training, means and spread over its chips."""


class Parts:
    """Trainings that are done while others are not: the same command goes on after any interruption."""

    def __init__(self, path: Path, how: tuple[Any, ...]) -> None:
        """Read what earlier runs left, of this way to measure and of others."""
        self._path = path
        self._how = repr((how, ohmnas.__version__))
        self._of_all: dict[str, dict[str, dict[str, float]]] = {}
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):  # a broken one is as good as none
            for way, done in json.loads(path.read_text(encoding="utf-8")).items():
                parts = {key: {head: float(part[head]) for head in MEASURED} for key, part in done.items()}
                self._of_all[way] = parts
        self._done = self._of_all.setdefault(self._how, {})

    def __contains__(self, one: tuple[Candidate, int]) -> bool:
        """Whether one training of a candidate was measured."""
        return self.key(*one) in self._done

    def __getitem__(self, one: tuple[Candidate, int]) -> dict[str, float]:
        """What was measured of it."""
        return self._done[self.key(*one)]

    def note(self, candidate: Candidate, training: int, found: dict[str, float]) -> None:
        """Keep it."""
        self._done[self.key(candidate, training)] = found
        write_atomically(self._path, json.dumps(self._of_all))

    @staticmethod
    def key(candidate: Candidate, training: int) -> str:
        """What tells trainings apart."""
        return f"{training}: {candidate.genome}"

    def forget(self) -> None:
        """All is done; what other ways to measure have left stays."""
        del self._of_all[self._how]
        if any(self._of_all.values()):
            write_atomically(self._path, json.dumps(self._of_all))
        else:
            self._path.unlink(missing_ok=True)
