"""Predictions of a result's surrogate: accuracy over time, and typical error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ohmnas.errors import InvalidValueError, OhmnasError
from ohmnas.search.candidate import COVERAGE, Candidate
from ohmnas.search.result import SearchResult
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.shipped import load_surrogate, shipped_surrogate
from ohmnas.targets import ACCURACY

SECONDS: Final = {"1s": 1.0, "1h": 3600.0, "1d": 86400.0, "1mo": 2592000.0}
"""Time in column names -> seconds after programming."""
TIME_NAMES: Final = {"1s": "1 second", "1h": "1 hour", "1d": "1 day", "1mo": "30 days"}
TARGETS_OVER_TIME: Final = {time: f"accuracy_{time}" for time in SECONDS}
_SAME: Final = 1e-4
"""Two predictions of the same surrogate for the same architecture differ by less than this."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Predicted accuracy of one network at the four times, as fractions."""

    values: tuple[float, ...]
    low: tuple[float, ...]
    """Lower ends of the prediction intervals with coverage `COVERAGE`; `high` has the upper ends."""
    high: tuple[float, ...]


def surrogate_of(result: SearchResult, path: str | None = None) -> SurrogateModel | None:
    """Return the surrogate of a result; None if no file is given and the result used no shipped surrogate.

    Args:
        result: result of a search.
        path: file of the surrogate; None looks for a shipped surrogate of the result's table.

    Raises:
        OhmnasError: the file cannot be read.
        InvalidValueError: the result used another surrogate.
    """
    if path is not None:
        loaded = load_surrogate(path)
        if not _is_same(loaded, result):
            raise InvalidValueError(f"the result used a surrogate other than {path}")
        return loaded
    learned = result.provenance
    try:
        shipped = shipped_surrogate(str(learned.get("table_name")), str(learned.get("hardware")))
    except OhmnasError:  # the shipped surrogate belongs to another version of the table
        return None
    return shipped if shipped is not None and _is_same(shipped, result) else None


def _is_same(surrogate: SurrogateModel, result: SearchResult) -> bool:
    """Return True if the surrogate gives the predictions of the result."""
    if surrogate.space != result.space:
        return False
    predicted = surrogate.estimate(np.array([result.best.genome], dtype=np.int16))
    return all(
        abs(predicted[name][0] - value) < _SAME for name, value in result.best.predicted.items() if name in predicted
    )


def predicted_drift(surrogate: SurrogateModel, candidates: Sequence[Candidate]) -> list[Drift]:
    """Predict the accuracy at the four times; empty if the surrogate does not predict all of them.

    Args:
        surrogate: the surrogate.
        candidates: networks of its space.
    """
    names = [*TARGETS_OVER_TIME.values()]
    try:
        model = surrogate.predicting(names)
    except InvalidValueError:
        return []
    estimate = model.estimate(np.array([candidate.genome for candidate in candidates], dtype=np.int16))
    low, high = (model.quantile(estimate, (1 + side * COVERAGE) / 2) for side in (-1, 1))
    return [
        Drift(*(tuple(float(of[name][row]) for name in names) for of in (estimate, low, high)))
        for row in range(len(candidates))
    ]


def typical_error(surrogate: SurrogateModel, candidate: Candidate) -> float:
    """Return the mean absolute error of the 1-day accuracy in cross-validation, for similar predictions.

    This is the local scale of the residuals from which the prediction intervals are made.
    """
    position = surrogate.estimate(np.array([candidate.genome], dtype=np.int16))[ACCURACY.name]
    residuals = surrogate.residuals[0]
    return float(np.interp(position, residuals.positions, residuals.scales)[0])
