"""`Estimator`: predicts targets of architectures. Examples: a surrogate, a formula, a proxy, a cascade."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.targets import DEFAULTS, Target


class Estimator(ABC):
    """Predicts targets of whole populations. A subclass must define only `estimate`; the other members are optional."""

    @property
    def targets(self) -> tuple[Target, ...]:
        """Targets that `estimate` returns."""
        return DEFAULTS

    @property
    def space(self) -> Space | None:
        """The only space whose genomes the estimator accepts; None means that it accepts any."""
        return None

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Origin of the estimator, as JSON values for results."""
        return {}

    @property
    def has_quantiles(self) -> bool:
        """True if the estimator predicts quantiles."""
        return False

    def predicting(self, names: Iterable[str]) -> Estimator:
        """Return an estimator that also predicts these targets; by default, check that this one does.

        Raises:
            InvalidValueError: the estimator cannot predict a target.
        """
        known = [one.name for one in self.targets]
        for name in names:
            if name not in known:
                raise InvalidValueError(f"this estimator does not predict {name}; it predicts {', '.join(known)}")
        return self

    def accepts(self, population: Population) -> npt.NDArray[np.bool_]:
        """``(n,)``: True for architectures that the estimator can estimate; by default, all."""
        return np.ones(len(population), dtype=bool)

    @abstractmethod
    def estimate(self, population: Population) -> Estimate:
        """Predict the targets of ``(n, g)`` architectures."""

    def quantile(self, estimate: Estimate, probability: float) -> Estimate:
        """For each target, the value that a label stays below with this probability.

        Args:
            estimate: predictions of this estimator.
            probability: above 0, below 1.

        Raises:
            InvalidValueError: the estimator has no quantiles.
        """
        del estimate, probability
        raise InvalidValueError(f"{type(self).__name__} predicts no quantiles (has_quantiles is False)")
