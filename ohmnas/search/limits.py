"""`Limits`: what an architecture that a search finds may cost, and what its predictions must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.lookup import check_name

COST_LIMITS: Final = {
    "max_params": "params",
    "max_macs": "macs",
    "max_size": "size",
    "max_memory": "memory",
    "max_tiles": "tiles",
    "max_cells": "cells",
    "max_energy": "energy",
    "max_latency": "latency",
}
"""Limit -> the exact cost that it is on."""
PREDICTED_LIMITS: Final = {"max_avm": "avm", "max_std": "accuracy_1d_std"}
"""Limit -> the prediction that it is on."""
CEILINGS: Final = {**COST_LIMITS, **PREDICTED_LIMITS}


class Costs(Protocol):
    """Such as `quantities.Quantities`."""

    def __getitem__(self, name: str) -> npt.NDArray[np.float64]:
        """The values of one cost."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard limits: the architecture that a search finds meets all; each that it asks about meets those on costs.

    As long as none is known that meets the limits on predictions, a search may breed from those that miss them.
    """

    max_params: float = np.inf
    """At most so many parameters."""
    max_macs: float = np.inf
    """At most so many MACs for one image."""
    max_avm: float = np.inf
    """Predicted accuracy variation over one month at most this, as a fraction."""
    min_params: float = 0
    """At least so many parameters: below what the table covers, a surrogate guesses."""
    min_accuracy: float = 0
    """Predicted accuracy after one day at least this, as a fraction."""
    confidence: float | None = None
    """Probability with which the limits on predictions hold, each by itself, by a predictor that knows how sure it
    is; None: what it expects meets them."""
    max_std: float = np.inf
    """Predicted standard deviation of the 1-day accuracy over chips at most this, as a fraction."""
    max_size: float = np.inf
    """At most so many bytes: weights of 8 bits, the digital parameters of 32."""
    max_memory: float = np.inf
    """At most so many activations alive at once: bytes, where they have 8 bits."""
    max_tiles: float = np.inf
    """At most so many crossbar tiles of the chip."""
    max_cells: float = np.inf
    """At most so many cells of these tiles."""
    max_energy: float = np.inf
    """At most so many joules for one image, by the proxy of `spaces.crossbar`."""
    max_latency: float = np.inf
    """At most so many seconds for one image, by the proxy of `spaces.crossbar`."""
    soft: Mapping[str, float] = field(default_factory=dict)
    """Quantity -> what it may exceed at a price, such as ``{"macs": 2e6}``."""
    penalty: float = 1.0
    """That price: the objective is divided by 1 + this for each 100 % beyond a soft limit (or multiplied, below 0)."""

    def __post_init__(self) -> None:
        """Check that the limits leave room.

        Raises:
            InvalidValueError: a limit is not a number above 0, or the bounds contradict each other.
            UnknownNameError: a soft limit is none of the maxima.
        """
        for name in (*COST_LIMITS, "max_std"):
            if not getattr(self, name) > 0:
                raise InvalidValueError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("max_avm", "min_params"):
            if np.isnan(getattr(self, name)):
                raise InvalidValueError(f"{name} must be a number")
        if not 0 <= self.min_accuracy <= 1:
            raise InvalidValueError(f"min_accuracy must be a fraction, 0 to 1, not {self.min_accuracy}")
        if self.confidence is not None and not 0 < self.confidence < 1:
            raise InvalidValueError(f"confidence is a probability between 0 and 1, not {self.confidence}")
        if not 0 <= self.penalty < np.inf:
            raise InvalidValueError(f"penalty must be 0 or more, not {self.penalty}")
        for name, value in self.soft.items():
            check_name("quantity with a soft limit", [*CEILINGS.values()], name)
            if not 0 < value < np.inf:
                raise InvalidValueError(f"the soft limit on {name} must be above 0, not {value}")
        if self.max_params < self.min_params:
            raise InvalidValueError(
                f"max_params is {self.max_params:,.0f}, but the smallest architectures that the surrogate knows have "
                f"{self.min_params:,.0f}"
            )

    def on(self, quantity: str) -> float:
        """The maximum of a quantity, or its soft limit; infinite if there is neither."""
        hard: float = next((getattr(self, name) for name, of in CEILINGS.items() if of == quantity), np.inf)
        return hard if hard < np.inf else self.soft.get(quantity, np.inf)

    def missed_costs(self, of: Costs) -> str:
        """Which limits on costs some of n architectures miss, and the least of each cost, in words.

        Args:
            of: each cost, ``(n,)``.
        """
        limited = {name: cost for name, cost in COST_LIMITS.items() if getattr(self, name) < np.inf}
        missed = {name: cost for name, cost in limited.items() if (of[cost] > getattr(self, name)).any()}
        limits = ", ".join(f"{name} {_number(getattr(self, name))}" for name in missed)
        values = {cost: _number(float(of[cost].min())) for cost in missed.values()}
        return f"{limits}; " + ", ".join(f"the least {cost} seen is {value}" for cost, value in values.items())

    def to_dict(self) -> dict[str, Any]:
        """JSON values; None is no limit."""
        values = {name: value for name, value in asdict(self).items() if name not in {"soft", "penalty"}}
        plain = {
            name: _plain(value) if value is not None and np.isfinite(value) else None for name, value in values.items()
        }
        soft = {name: _plain(value) for name, value in self.soft.items()}
        return {**plain, "soft": soft, "penalty": _plain(self.penalty)} if soft else plain


def _plain(value: Any) -> Any:
    """A number of NumPy's as one of Python's, which JSON has."""
    return value.item() if isinstance(value, np.generic) else value


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 1 else f"{value:,.0f}"
