"""The weights of a `Mixture`, from held-out predictions."""

from __future__ import annotations

import numpy as np

from ohmnas.surrogate.mixture import LEAST_SPREAD
from ohmnas.surrogate.scales import Values


def spread(values: Values) -> float:
    """Standard deviation, or 1 for constant values."""
    found = float(values.std())
    return found if found > LEAST_SPREAD else 1.0


def share(labels: Values, trees: Values, process: Values) -> float:
    """Share of the trees with which the mixture is closest to held-out labels (least squares)."""
    between = trees - process
    squares = float(between @ between)
    return float(np.clip((labels - process) @ between / squares, 0.0, 1.0)) if squares > 0.0 else 0.5
