"""Objectives: functions of quantities that return one number per architecture.

Weighted objectives combine losses. A loss is 0 at the best value of a quantity. It is 1 at the quantity's limit, or, if
there is no limit, at the worst value of a sample (`Problem.scale`). All weighted quantities are thus on one scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.lookup import check_name
from ohmnas.search.quantities import Quantities
from ohmnas.search.quantity_names import QUANTITIES

Values = npt.NDArray[np.float64]
Losses = Callable[[str], Values]
"""Name of a quantity -> ``(n,)`` losses, about 0 to 1."""


_LEAST_STD: Final = 1e-6
"""Smallest standard deviation in a ratio: a hundredth of what any table resolves. It keeps the ratio finite."""


class Objective(Protocol):
    """An objective to maximise."""

    @property
    def name(self) -> str:
        """Name in results."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Quantities that the objective uses."""

    def __call__(self, of: Quantities, losses: Losses) -> Values:
        """``(n,)``: larger is better."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """1-day accuracy divided by its standard deviation: the objective of AnalogNAS."""

    name: str = "accuracy_1d / accuracy_1d_std"
    needs: tuple[str, ...] = ("accuracy_1d", "accuracy_1d_std")

    def __call__(self, of: Quantities, losses: Losses) -> Values:  # noqa: ARG002 - required by `Objective`
        """``(n,)``."""
        return of["accuracy_1d"] / np.maximum(of["accuracy_1d_std"], _LEAST_STD)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """1-day accuracy."""

    name: str = "accuracy_1d"
    needs: tuple[str, ...] = ("accuracy_1d",)

    def __call__(self, of: Quantities, losses: Losses) -> Values:  # noqa: ARG002 - required by `Objective`
        """``(n,)``."""
        return of["accuracy_1d"]


@dataclass(frozen=True, slots=True)
class Weighing:
    """Base class of weighted objectives. Weights are normalised to a sum of 1."""

    weights: Mapping[str, float] = field(
        default_factory=lambda: {"accuracy_1d": 1.0, "accuracy_1d_std": 1.0, "avm": 1.0}
    )

    def __post_init__(self) -> None:
        """Check the weights.

        Raises:
            InvalidValueError: there are no weights, or a weight is not above 0.
            UnknownNameError: the quantity of a weight is unknown.
        """
        for name, weight in self.weights.items():
            check_name("quantity", QUANTITIES, name)
            if not 0 < weight < np.inf:
                raise InvalidValueError(f"the weight of {name} must be above 0, not {weight}")
        if not self.weights:
            raise InvalidValueError("a weighted objective needs at least one weight, such as accuracy_1d=1")

    @property
    def needs(self) -> tuple[str, ...]:
        """Quantities that have a weight."""
        return tuple(self.weights)

    def shares(self) -> list[tuple[str, float]]:
        """Quantities and their shares of the total weight."""
        total = sum(self.weights.values())
        return [(name, weight / total) for name, weight in self.weights.items()]

    def named(self, kind: str) -> str:
        """Return a name for results: kind and shares."""
        return f"{kind} of " + ", ".join(f"{share:.3g} {name}" for name, share in self.shares())


@dataclass(frozen=True, slots=True)
class WeightedSum(Weighing):
    """1 minus the weighted mean of the losses."""

    @property
    def name(self) -> str:
        """Name with the weights."""
        return self.named("weighted sum")

    def __call__(self, of: Quantities, losses: Losses) -> Values:
        """``(n,)``."""
        mean: Values = sum((share * losses(name) for name, share in self.shares()), np.zeros(len(of)))
        return 1.0 - mean


@dataclass(frozen=True, slots=True)
class Tchebycheff(Weighing):
    """1 minus the largest weighted loss (after muNAS: Liberis, 2021).

    Unlike a weighted sum, it also reaches the concave parts of a front.
    """

    @classmethod
    def drawn(cls, names: tuple[str, ...], rng: np.random.Generator) -> Self:
        """Draw weights uniformly from all weights that sum to 1. Each draw leads to a different part of the front."""
        drawn = np.maximum(rng.dirichlet(np.ones(len(names))), 1e-3)
        return cls(dict(zip(names, drawn.tolist(), strict=True)))

    @property
    def name(self) -> str:
        """Name with the weights."""
        return self.named("Tchebycheff distance")

    def __call__(self, of: Quantities, losses: Losses) -> Values:  # noqa: ARG002 - required by `Objective`
        """``(n,)``."""
        largest: Values = np.max([share * losses(name) for name, share in self.shares()], axis=0)
        return 1.0 - largest


@dataclass(frozen=True, slots=True)
class ExponentialPenalty(Weighing):
    """Weighted mean of exp(-loss): improvements count more for good values than for bad ones."""

    @property
    def name(self) -> str:
        """Name with the weights."""
        return self.named("exponential penalties")

    def __call__(self, of: Quantities, losses: Losses) -> Values:
        """``(n,)``."""
        total: Values = sum((share * np.exp(-losses(name)) for name, share in self.shares()), np.zeros(len(of)))
        return total
