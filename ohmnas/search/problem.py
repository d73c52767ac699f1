"""What is searched for: an objective, limits, and how far an architecture is from meeting them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace

Values = npt.NDArray[np.float64]


class PredictionLike(Protocol):
    """What a predictor says of n architectures, each ``(n,)``, as fractions."""

    @property
    def accuracy_1d(self) -> Values:
        """Mean accuracy one day after programming."""

    @property
    def accuracy_1d_std(self) -> Values:
        """Its standard deviation over chips, above 0."""

    @property
    def avm(self) -> Values:
        """Accuracy variation over one month."""


class Predictor(Protocol):
    """Anything that predicts a population: a surrogate, or a formula.

    One with a `space` predicts that space alone; one with `quantile(predicted, probability)` also says how sure it is.
    """

    def forecast(self, population: Population) -> PredictionLike:
        """Predict ``(n, g)`` architectures."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard limits: the architecture that a search finds meets all; each that it asks about meets those on costs.

    As long as none is known that meets `max_avm` and `min_accuracy`, a search may breed from those that miss them.
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
    """Probability with which `max_avm` and `min_accuracy` hold, each by itself, by a predictor that knows how sure it
    is; None: what it expects meets them."""

    def __post_init__(self) -> None:
        """Check that the limits leave room.

        Raises:
            InvalidValueError: a limit is not a number above 0, or the bounds contradict each other.
        """
        for name in ("max_params", "max_macs"):
            if not getattr(self, name) > 0:
                raise InvalidValueError(f"{name} must be above 0, not {getattr(self, name)}")
        if np.isnan(self.max_avm):
            raise InvalidValueError("max_avm must be a number")
        if not 0 <= self.min_accuracy <= 1:
            raise InvalidValueError(f"min_accuracy must be a fraction, 0 to 1, not {self.min_accuracy}")
        if self.confidence is not None and not 0 < self.confidence < 1:
            raise InvalidValueError(f"confidence is a probability between 0 and 1, not {self.confidence}")
        if self.max_params < self.min_params:
            raise InvalidValueError(
                f"max_params is {self.max_params:,.0f}, but the smallest architectures that the surrogate knows have "
                f"{self.min_params:,.0f}"
            )

    def to_dict(self) -> dict[str, float | None]:
        """JSON values; None is no limit."""
        return {
            name: value if value is not None and np.isfinite(value) else None for name, value in asdict(self).items()
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is known of n architectures, each ``(n,)``."""

    objective: Values
    """accuracy_1d / accuracy_1d_std: larger is better."""
    shortfall: Values
    """By how much the predictions miss the limits on AVM and accuracy, added up; 0 is feasible."""
    accuracy_1d: Values
    accuracy_1d_std: Values
    avm: Values

    def take(self, rows: npt.NDArray[np.intp]) -> Evaluation:
        """Only these rows, in this order."""
        return Evaluation(*(getattr(self, name)[rows] for name in self.__slots__))

    def join(self, other: Evaluation) -> Evaluation:
        """These rows, then the other's."""
        return Evaluation(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in self.__slots__))

    def order(self) -> npt.NDArray[np.intp]:
        """Best first: feasible ones by objective, then the others by how little they miss (Deb, 2000)."""
        return np.lexsort((-self.objective, self.shortfall))


@dataclass(frozen=True, slots=True)
class Problem:
    """Maximise accuracy_1d / std under limits."""

    space: ResNetSpace
    predictor: Predictor
    limits: Limits

    def __post_init__(self) -> None:
        """Check that the predictor, if it is of a space, is of this one.

        Raises:
            InvalidValueError: it is of another, or cannot say how sure it is where the limits ask for it.
        """
        learned = getattr(self.predictor, "space", self.space)
        if learned != self.space:
            raise InvalidValueError(f"the predictor is of {learned}, the problem of {self.space}: take predictor.space")
        if self.limits.confidence is not None and not hasattr(self.predictor, "quantile"):
            raise InvalidValueError("limits with a confidence need a predictor that says how sure it is")

    def affordable(self, population: Population) -> npt.NDArray[np.bool_]:
        """``(n,)``: which architectures meet the limits on parameters and MACs, exactly."""
        (params, macs), limits = self.space.params_and_macs(population), self.limits
        return (params <= limits.max_params) & (params >= limits.min_params) & (macs <= limits.max_macs)

    def evaluate(self, population: Population) -> Evaluation:
        """Predict ``(n, g)`` architectures."""
        predicted = worst_avm = worst_accuracy = self.predictor.forecast(population)
        if self.limits.confidence is not None:
            worst_avm = self.quantile(predicted, self.limits.confidence) or predicted
            worst_accuracy = self.quantile(predicted, 1.0 - self.limits.confidence) or predicted
        return Evaluation(
            predicted.accuracy_1d / predicted.accuracy_1d_std,
            np.maximum(worst_avm.avm - self.limits.max_avm, 0.0)
            + np.maximum(self.limits.min_accuracy - worst_accuracy.accuracy_1d, 0.0),
            predicted.accuracy_1d,
            predicted.accuracy_1d_std,
            predicted.avm,
        )

    def quantile(self, predicted: PredictionLike, probability: float) -> PredictionLike | None:
        """What the labels of architectures stay below with this probability, if the predictor says so."""
        said = getattr(self.predictor, "quantile", None)
        return None if said is None else said(predicted, probability)

    def sample(self, n: int, rng: np.random.Generator) -> Population:
        """Up to n affordable architectures, evenly spread over log parameters.

        Raises:
            InfeasibleError: none can be afforded; the message has the limits.
        """
        limits = self.limits
        return self.space.sample(n, rng, limits.max_params, limits.max_macs, min_params=limits.min_params, at_least=1)
