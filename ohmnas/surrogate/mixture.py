"""How trees and process are mixed."""

from __future__ import annotations

from typing import Final

import numpy as np

from ohmnas.surrogate.heads import Values

LEAST_SPREAD: Final = 1e-9
"""Of scores that say anything."""


def spread(values: Values) -> float:
    """Standard deviation, or 1 where nothing varies."""
    found = float(values.std())
    return found if found > LEAST_SPREAD else 1.0


def share(labels: Values, trees: Values, process: Values) -> float:
    """Of the trees in the mixture with the process that comes nearest to held-out labels."""
    between = trees - process
    squares = float(between @ between)
    return float(np.clip((labels - process) @ between / squares, 0.0, 1.0)) if squares > 0.0 else 0.5
