"""`Limits`: limits on costs and predictions of the architectures to find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.lookup import check_name
from ohmnas.targets import TARGETS

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
"""Limit -> cost that it limits."""
PREDICTED_LIMITS: Final = {"max_avm": "avm", "max_std": "accuracy_1d_std"}
"""Limit -> prediction that it limits."""
_BY_NAME: Final = frozenset({"soft", "penalty", "least", "most", "reference"})
CEILINGS: Final = {**COST_LIMITS, **PREDICTED_LIMITS}


class Costs(Protocol):
    """Costs by name, such as `quantities.Quantities`."""

    def __getitem__(self, name: str) -> npt.NDArray[np.float64]:
        """Values of one cost."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard and soft limits. The result meets all hard limits; every evaluated architecture meets those on costs.

    Until a search finds an architecture that meets the limits on predictions, it may breed from architectures that
    violate them.
    """

    max_params: float = np.inf
    """Largest number of parameters."""
    max_macs: float = np.inf
    """Largest number of MACs per image."""
    max_avm: float = np.inf
    """Largest predicted accuracy variation over one month, as a fraction."""
    min_params: float = 0
    """Smallest number of parameters: surrogates are unreliable below the table's range."""
    min_accuracy: float = 0
    """Lowest predicted accuracy after one day, as a fraction."""
    confidence: float | None = None
    """Probability with which each limit on a prediction holds; needs an estimator with quantiles. None compares the
    prediction itself with the limit."""
    max_std: float = np.inf
    """Largest predicted standard deviation of the 1-day accuracy over chips, as a fraction."""
    max_size: float = np.inf
    """Largest size in bytes: 8 bits per weight, 32 bits per digital parameter."""
    max_memory: float = np.inf
    """Largest number of activations in memory at once; with 8-bit activations, this is the number of bytes."""
    max_tiles: float = np.inf
    """Largest number of crossbar tiles."""
    max_cells: float = np.inf
    """Largest number of crossbar cells."""
    max_energy: float = np.inf
    """Largest energy per image in joules, by the proxy of `costs.crossbar`."""
    max_latency: float = np.inf
    """Largest latency per image in seconds, by the proxy of `costs.crossbar`."""
    least: Mapping[str, float] = field(default_factory=dict)
    """Target -> lowest prediction, such as ``{"accuracy_1mo": 0.8}``."""
    most: Mapping[str, float] = field(default_factory=dict)
    """Target -> highest prediction."""
    reference: str = ""
    """Name of the reference network whose predictions set the limits on accuracy and AVM; for messages and results."""
    soft: Mapping[str, float] = field(default_factory=dict)
    """Quantity -> soft limit, such as ``{"macs": 2e6}``; a network that exceeds it gets a smaller objective."""
    penalty: float = 1.0
    """Weight of the soft limits. A positive objective is divided by 1 + penalty * excess, and a negative objective
    is multiplied by this factor. The excess is the sum of the relative excesses over the soft limits."""

    def __post_init__(self) -> None:
        """Check that the limits are consistent.

        Raises:
            InvalidValueError: a limit is out of range, `max_params` is below `min_params`, or two limits on a target
                contradict each other.
            UnknownNameError: the quantity of a soft limit or the target of a limit is unknown.
        """
        for name in (*COST_LIMITS, "max_std"):
            if not getattr(self, name) > 0:
                raise InvalidValueError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("max_avm", "min_params"):
            if np.isnan(getattr(self, name)):
                raise InvalidValueError(f"{name} must be a number, not {getattr(self, name)}")
        if not 0 <= self.min_accuracy <= 1:
            raise InvalidValueError(f"min_accuracy must be a fraction from 0 to 1, not {self.min_accuracy}")
        if self.confidence is not None and not 0 < self.confidence < 1:
            raise InvalidValueError(f"confidence must be a probability between 0 and 1, not {self.confidence}")
        if not 0 <= self.penalty < np.inf:
            raise InvalidValueError(f"penalty must be at least 0, not {self.penalty}")
        for name, value in self.soft.items():
            check_name("quantity with a soft limit", [*CEILINGS.values()], name)
            if not 0 < value < np.inf:
                raise InvalidValueError(f"the soft limit on {name} must be above 0, not {value}")
        for name, value in (*self.least.items(), *self.most.items()):
            check_name("target", TARGETS, name)
            if not np.isfinite(value):
                raise InvalidValueError(f"the limit on {name} must be a number, not {value}")
        most = {"avm": self.max_avm, "accuracy_1d_std": self.max_std}
        for name in sorted({"accuracy_1d", *self.least, *self.most}):
            low = max(self.least.get(name, -np.inf), self.min_accuracy if name == "accuracy_1d" else -np.inf)
            high = min(self.most.get(name, np.inf), most.get(name, np.inf))
            if low > high:
                raise InvalidValueError(f"{name} cannot be at least {low:g} and at most {high:g}")
        if self.max_params < self.min_params:
            raise InvalidValueError(
                f"max_params is {self.max_params:,.0f}, which is less than min_params, {self.min_params:,.0f} (by "
                "default, the size of the smallest measured architecture)"
            )

    def on(self, quantity: str) -> float:
        """Hard upper limit on a quantity, or else its soft limit; infinite if it has neither."""
        hard: float = next((getattr(self, name) for name, of in CEILINGS.items() if of == quantity), np.inf)
        hard = min(hard, self.most.get(quantity, np.inf))
        return hard if hard < np.inf else self.soft.get(quantity, np.inf)

    def below(self, target: str) -> float:
        """Lowest accepted prediction of a target; 0 if there is no limit."""
        return max([least for of, least in self.floors().values() if of == target], default=0.0)

    def floors(self) -> dict[str, tuple[str, float]]:
        """Limit -> target and lowest prediction."""
        known = {"min_accuracy": ("accuracy_1d", self.min_accuracy)} if self.min_accuracy > 0 else {}
        return known | {f"min_{name}": (name, value) for name, value in self.least.items()}

    def ceilings(self) -> dict[str, tuple[str, float]]:
        """Limit -> target and highest prediction."""
        known = {name: (of, getattr(self, name)) for name, of in PREDICTED_LIMITS.items()}
        known = {name: (of, most) for name, (of, most) in known.items() if most < np.inf}
        for of, most in self.most.items():
            _, tightest = known.get(f"max_{of}", (of, np.inf))  # `max_avm` and `most` may both limit the AVM
            known[f"max_{of}"] = (of, min(most, tightest))
        return known

    def on_targets(self) -> set[str]:
        """Targets that have a limit."""
        return {of for of, _ in (*self.floors().values(), *self.ceilings().values())}

    def missed_costs(self, costs: Costs) -> str:
        """Describe the limits on costs that some samples violate, and the smallest sampled value of each such cost.

        Args:
            costs: costs of n sampled architectures by name.
        """
        limited = {name: cost for name, cost in COST_LIMITS.items() if getattr(self, name) < np.inf}
        missed = {name: cost for name, cost in limited.items() if (costs[cost] > getattr(self, name)).any()}
        limits = ", ".join(f"{name} {_number(getattr(self, name))}" for name in missed)
        values = {cost: _number(float(costs[cost].min())) for cost in missed.values()}
        return f"{limits}; " + ", ".join(f"smallest {cost} sampled: {value}" for cost, value in values.items())

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; None means no limit."""
        values = {name: value for name, value in asdict(self).items() if name not in _BY_NAME}
        plain = {
            name: _plain(value) if value is not None and np.isfinite(value) else None for name, value in values.items()
        }
        soft = {name: _plain(value) for name, value in self.soft.items()}
        for kind in ("least", "most"):
            if named := {name: _plain(value) for name, value in getattr(self, kind).items()}:
                plain[kind] = named
        if self.reference:
            plain["reference"] = self.reference
        return {**plain, "soft": soft, "penalty": _plain(self.penalty)} if soft else plain


def _plain(value: Any) -> Any:
    """Convert a NumPy number to a Python number for JSON."""
    return value.item() if isinstance(value, np.generic) else value


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 1 else f"{value:,.0f}"
