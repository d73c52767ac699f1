"""`Problem`: where is searched, for what, and within which limits. Strategies know architectures through it alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InfeasibleError, InvalidValueError
from ohmnas.lookup import check_name
from ohmnas.search.clock import Clock
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.limits import COST_LIMITS, PREDICTED_LIMITS, Limits
from ohmnas.search.objective import Objective, Ratio
from ohmnas.search.quantities import LARGER_IS_BETTER, QUANTITIES, PredictionLike, Quantities, Values
from ohmnas.spaces import sampling
from ohmnas.spaces.bounds import EVERYTHING, Bounds
from ohmnas.spaces.chips import CHIP_GENE_NAMES, chip_text
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace

_SAMPLE: Final = 256
"""Architectures whose worst stands for a quantity without limit."""
_BATCHES: Final = 4
"""Of proposals, at the first tries; as many more for each batch that is wanted."""
_DRAWS: Final = 6
"""Samples after which limits beside parameters and MACs are said to leave nothing."""
_MANY: Final = 2000
"""Architectures of each sample after those, before limits are said to leave nothing."""
_HURRIED: Final = 2
"""Samples drawn with few batches; less than half of a population is good enough after these."""


class Predictor(Protocol):
    """Anything that predicts a population: a surrogate, or a formula.

    One with a `space` predicts that space alone; one with `quantile(predicted, probability)` also says how sure it is;
    one with `hardware_` says what chip its predictions are of.
    """

    def forecast(self, population: Population) -> PredictionLike:
        """Predict ``(n, g)`` architectures."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Maximise an objective under limits, or find all that nothing else beats."""

    space: ResNetSpace
    predictor: Predictor
    limits: Limits
    objective: Objective = field(default_factory=Ratio)
    within: Bounds = EVERYTHING
    """Bounds on the genes; `EVERYTHING` is the whole space, also one that has chips."""
    pareto: tuple[str, ...] = ()
    """Quantities whose Pareto front is wanted beside the best; none for no front."""
    clock: Clock = field(default_factory=Clock, init=False, compare=False, repr=False)
    """When the search that runs has to end; strategies that take long for a question end it early."""
    _scales: dict[str, tuple[float, float]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Check that the parts belong together.

        Raises:
            InvalidValueError: the predictor is of another space, cannot say how sure it is where the limits ask for
                it, or a front is asked for of less than two quantities.
            UnknownNameError: a front is asked for of a quantity that there is not.
        """
        if self.within == EVERYTHING:
            object.__setattr__(self, "within", self.space.everything)
        if len(self.within.low) != len(self.space.gene_names):
            raise InvalidValueError(f"the bounds are on {len(self.within.low)} genes, not those of {self.space.name}")
        learned = getattr(self.predictor, "space", self.space)
        if learned != self.space:
            raise InvalidValueError(f"the predictor is of {learned}, the problem of {self.space}: take predictor.space")
        if self.limits.confidence is not None and not hasattr(self.predictor, "quantile"):
            raise InvalidValueError("limits with a confidence need a predictor that says how sure it is")
        for name in self.pareto:
            check_name("quantity", QUANTITIES, name)
        if len(self.pareto) == 1 or len(set(self.pareto)) < len(self.pareto):
            raise InvalidValueError("a Pareto front is one of at least two different quantities")

    @property
    def genes(self) -> int:
        """Columns of a population."""
        return len(self.space.gene_names)

    def choices(self, gene: int) -> npt.NDArray[np.int16]:
        """The values that a gene can take, where its block exists."""
        return self.within.choices(gene)

    def sample(self, n: int, rng: np.random.Generator) -> Population:
        """Up to n affordable architectures, evenly spread over log parameters; fewer where time is up.

        Raises:
            InfeasibleError: none can be afforded; the message has the limits.
        """
        if n == 0:
            return np.empty((0, self.genes), dtype=np.int16)
        limits = self.limits
        bounds = (limits.max_params, limits.max_macs, limits.min_params)
        batches = min(_BATCHES + _BATCHES * n // sampling.PROPOSALS, sampling.MAX_BATCHES)
        found, tried = [np.empty((0, self.genes), dtype=np.int16)], []
        for draw in range(_DRAWS):
            hurry = batches if draw < _HURRIED else sampling.MAX_BATCHES
            at_least = 0 if draw < _HURRIED else 1
            many = n if draw < _HURRIED else max(n, _MANY)
            drawn = self.space.sample(many, rng, *bounds, at_least=at_least, within=self.within, max_batches=hurry)
            found.append(drawn[self.affordable(drawn)])
            tried.append(drawn)
            have = sum(map(len, found))
            if 2 * have >= n or (have and (draw + 1 >= _HURRIED or self.clock.is_up())):
                break
        population: Population = np.unique(np.concatenate(found), axis=0)
        if not len(population):
            seen = self.quantities(np.concatenate(tried))
            raise InfeasibleError(
                f"none of {len(seen):,} {self.space.members} meets all limits on costs: {limits.missed_costs(seen)}"
            )
        return population[rng.permutation(len(population))[:n]]

    def mutate(self, population: Population, rng: np.random.Generator, rates: Mapping[str, float]) -> Population:
        """``(n, g)``: a child of each row, each group of genes mutated with its probability."""
        return self._inside(self.space.mutate(population, rng, rates))

    def cross(self, mothers: Population, fathers: Population, rng: np.random.Generator) -> Population:
        """``(n, g)``: a child of each pair."""
        return self._inside(self.space.cross(mothers, fathers, rng))

    def neighbours(self, genome: npt.NDArray[np.int16]) -> Population:
        """``(k, g)``: all that one step leads to from a ``(g,)`` genome."""
        near = self._inside(self.space.neighbours(genome))
        near = near[(near != genome).any(axis=1)]
        return near if self.within == self.space.everything else np.unique(near, axis=0)

    def repair(self, population: npt.NDArray[np.integer]) -> Population:
        """``(n, g)``: the nearest architectures that are searched."""
        return self._inside(self.space.repair(population))

    def _inside(self, population: Population) -> Population:
        return population if self.within == self.space.everything else self.within.project(population)

    def affordable(self, population: Population) -> npt.NDArray[np.bool_]:
        """``(n,)``: which architectures meet the hard limits on costs, exactly, and the bounds on genes."""
        fits = self.fits(population)
        return fits if self.within == self.space.everything else fits & self.within.contain(population)

    def fits(self, population: Population) -> npt.NDArray[np.bool_]:
        """``(n,)``: which meet the hard limits on costs, wherever they are in the space."""
        limited = {cost: getattr(self.limits, name) for name, cost in COST_LIMITS.items()}
        limited = {cost: most for cost, most in limited.items() if most < np.inf}
        least = self.limits.min_params
        cheap = self.quantities(population, together=("params", "macs"))
        within = cheap["params"] >= least if least > 0 else np.ones(len(population), dtype=bool)
        for cost in ("params", "macs"):
            if cost in limited:
                within &= cheap[cost] <= limited.pop(cost)
        if limited:  # the others take longer: only of what is left
            rows = np.flatnonzero(within)
            others = self.quantities(population[rows], together=limited)
            within[rows] = np.all([others[cost] <= most for cost, most in limited.items()], axis=0)
        return within

    def evaluate(self, population: Population) -> Evaluation:
        """Predict and judge ``(n, g)`` architectures."""
        predicted = self.predictor.forecast(population)
        of = self.quantities(population, predicted)

        def losses(name: str) -> Values:
            return self.loss(name, of[name])

        objective = self.objective(of, losses)
        if self.limits.soft:
            excess = sum(np.maximum(of[name] / most - 1.0, 0.0) for name, most in self.limits.soft.items())
            price = 1.0 + self.limits.penalty * excess
            objective = np.where(objective >= 0, objective / price, objective * price)
        return Evaluation(
            objective,
            np.sum([*self.missed(predicted).values()], axis=0),
            predicted.accuracy_1d,
            predicted.accuracy_1d_std,
            predicted.avm,
            np.column_stack([losses(name) for name in self.pareto]) if self.pareto else np.empty((len(population), 0)),
        )

    def quantities(
        self, population: Population, predicted: PredictionLike | None = None, together: Collection[str] = ()
    ) -> Quantities:
        """What architectures can be judged by; predictions only if they are given; costs `together` in one pass."""
        chip = getattr(self.predictor, "hardware_", {} if self.has_chip else None)
        return Quantities(self.space, population, chip, predicted, together)

    @property
    def has_chip(self) -> bool:
        """Whether a chip is known, so that there are costs on tiles: the predictor's, or each design's own."""
        return self.space.has_chips or hasattr(self.predictor, "hardware_")

    def missed(self, predicted: PredictionLike) -> dict[str, Values]:
        """Limit on predictions -> ``(n,)``: by how much it is missed, or with a confidence, by the bad end."""
        limits, highest, lowest = self.limits, predicted, predicted
        if limits.confidence is not None:
            highest = self.quantile(predicted, limits.confidence) or predicted
            lowest = self.quantile(predicted, 1.0 - limits.confidence) or predicted
        missed = {"min_accuracy": np.maximum(limits.min_accuracy - lowest.accuracy_1d, 0.0)}
        for name, quantity in PREDICTED_LIMITS.items():
            most = getattr(limits, name)
            if most < np.inf:
                missed[name] = np.maximum(getattr(highest, quantity) - most, 0.0)
        return missed

    def quantile(self, predicted: PredictionLike, probability: float) -> PredictionLike | None:
        """What the labels of architectures stay below with this probability, if the predictor says so."""
        said = getattr(self.predictor, "quantile", None)
        return None if said is None else said(predicted, probability)

    def loss(self, name: str, values: Values) -> Values:
        """``(n,)`` values of a quantity -> how bad they are: 0 as good as can be, 1 as bad as its scale's end."""
        best, worst = self.scale(name)
        return (values - best) / (worst - best)

    def scale(self, name: str) -> tuple[float, float]:
        """The best that a quantity can be, and its limit; without one, the worst of a sample that the problem decides.

        So losses and hypervolumes of one problem can be compared whatever found them.
        """
        if name not in self._scales:
            best = 1.0 if name in LARGER_IS_BETTER else 0.0
            worst = self.limits.min_accuracy if name in LARGER_IS_BETTER else self.limits.on(name)
            if not 0 < worst < np.inf:
                sample = self.sample(_SAMPLE, np.random.default_rng(0))
                values = self.quantities(sample, self.predictor.forecast(sample))[name]
                worst = float(values.min() if name in LARGER_IS_BETTER else values.max())
            is_worse = worst < best if name in LARGER_IS_BETTER else worst > best
            self._scales[name] = (best, worst if is_worse else 1.0 - best)
        return self._scales[name]

    def to_dict(self) -> dict[str, Any]:
        """JSON values: limits, and bounds on genes where there are any."""
        bounds = {
            name: [chip_text(name, low), chip_text(name, high)] if name in CHIP_GENE_NAMES else [int(low), int(high)]
            for name, low, high, least, most in zip(
                self.space.gene_names,
                self.within.low,
                self.within.high,
                self.space.everything.low,
                self.space.everything.high,
                strict=True,
            )
            if (low, high) != (least, most)
        }
        return {**self.limits.to_dict(), **({"genes": bounds} if bounds else {})}
