"""What a search maximises, as objects that turn quantities into one number for each architecture.

Objectives of several quantities weigh losses: 0 is as good as can be, 1 as bad as the limit on it, or where there is
none, as the worst of a sample (`Problem.scale`). So weights compare what is comparable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.lookup import check_name
from ohmnas.search.quantities import QUANTITIES, Quantities

Values = npt.NDArray[np.float64]
Losses = Callable[[str], Values]
"""Name of a quantity -> ``(n,)`` losses, about 0 to 1."""


class Objective(Protocol):
    """What is maximised."""

    @property
    def name(self) -> str:
        """What results call it."""

    def __call__(self, of: Quantities, losses: Losses) -> Values:
        """``(n,)``: larger is better."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Accuracy after one day over its standard deviation: AnalogNAS's objective."""

    name: str = "accuracy_1d / accuracy_1d_std"

    def __call__(self, of: Quantities, losses: Losses) -> Values:  # noqa: ARG002 - an Objective
        """``(n,)``."""
        return of["accuracy_1d"] / of["accuracy_1d_std"]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Accuracy after one day alone."""

    name: str = "accuracy_1d"

    def __call__(self, of: Quantities, losses: Losses) -> Values:  # noqa: ARG002 - an Objective
        """``(n,)``."""
        return of["accuracy_1d"]


@dataclass(frozen=True, slots=True)
class _Weighing:
    """Weights of quantities, which are made to add up to 1."""

    weights: Mapping[str, float] = field(
        default_factory=lambda: {"accuracy_1d": 1.0, "accuracy_1d_std": 1.0, "avm": 1.0}
    )

    def __post_init__(self) -> None:
        """Check the weights.

        Raises:
            InvalidValueError: there are none, or one is not above 0.
            UnknownNameError: one is of no quantity.
        """
        for name, weight in self.weights.items():
            check_name("quantity", QUANTITIES, name)
            if not 0 < weight < np.inf:
                raise InvalidValueError(f"the weight of {name} must be above 0, not {weight}")
        if not self.weights:
            raise InvalidValueError("an objective that weighs needs a weight of something, such as accuracy_1d=1")

    def _shares(self) -> list[tuple[str, float]]:
        total = sum(self.weights.values())
        return [(name, weight / total) for name, weight in self.weights.items()]

    def _named(self, kind: str) -> str:
        return f"{kind} of " + ", ".join(f"{share:.3g} {name}" for name, share in self._shares())


@dataclass(frozen=True, slots=True)
class WeightedSum(_Weighing):
    """One less the weighted mean of the losses."""

    @property
    def name(self) -> str:
        """With the weights."""
        return self._named("weighted sum")

    def __call__(self, of: Quantities, losses: Losses) -> Values:
        """``(n,)``."""
        mean: Values = sum((share * losses(name) for name, share in self._shares()), np.zeros(len(of)))
        return 1.0 - mean


@dataclass(frozen=True, slots=True)
class Tchebycheff(_Weighing):
    """One less the largest weighted loss: reaches also the hollow parts of a front (after muNAS: Liberis, 2021)."""

    @classmethod
    def drawn(cls, names: tuple[str, ...], rng: np.random.Generator) -> Self:
        """Weights drawn evenly from all that add up to 1: each draw searches another part of the front."""
        drawn = np.maximum(rng.dirichlet(np.ones(len(names))), 1e-3)
        return cls(dict(zip(names, drawn.tolist(), strict=True)))

    @property
    def name(self) -> str:
        """With the weights."""
        return self._named("Tchebycheff distance")

    def __call__(self, of: Quantities, losses: Losses) -> Values:  # noqa: ARG002 - an Objective
        """``(n,)``."""
        largest: Values = np.max([share * losses(name) for name, share in self._shares()], axis=0)
        return 1.0 - largest


@dataclass(frozen=True, slots=True)
class ExponentialPenalty(_Weighing):
    """The weighted mean of exp(-loss): what is far from good already costs ever less, what is good counts most."""

    @property
    def name(self) -> str:
        """With the weights."""
        return self._named("exponential penalties")

    def __call__(self, of: Quantities, losses: Losses) -> Values:
        """``(n,)``."""
        total: Values = sum((share * np.exp(-losses(name)) for name, share in self._shares()), np.zeros(len(of)))
        return total


PLAIN: Final[dict[str, Callable[[], Objective]]] = {"ratio": Ratio, "accuracy": Accuracy}
WEIGHING: Final[dict[str, Callable[[Mapping[str, float]], Objective]]] = {
    "weighted": WeightedSum,
    "tchebycheff": Tchebycheff,
    "exponential": ExponentialPenalty,
}


def objective(name: str, weights: Mapping[str, float] | None = None) -> Objective:
    """The objective of that name.

    Args:
        name: ``ratio``, ``accuracy``, ``weighted``, ``tchebycheff`` or ``exponential``.
        weights: quantity -> weight, for the last three; accuracy, its standard deviation and AVM alike if none.

    Raises:
        UnknownNameError: there is none of that name.
        InvalidValueError: a weight is none, or the objective takes none.
    """
    check_name("objective", [*PLAIN, *WEIGHING], name)
    if name in WEIGHING:
        return WEIGHING[name](weights) if weights else WEIGHING[name](_Weighing().weights)
    if weights:
        raise InvalidValueError(f"the objective {name} takes no weights; {', '.join(WEIGHING)} do")
    return PLAIN[name]()
