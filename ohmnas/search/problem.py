"""`Problem`: search space, objective and limits. Strategies handle architectures only through it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ohmnas.costs.conversion import Conversion
from ohmnas.errors import InfeasibleError, InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.lookup import check_name
from ohmnas.search.clock import Clock
from ohmnas.search.estimator import Estimator
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.limits import COST_LIMITS, Limits
from ohmnas.search.objective import Objective, Ratio
from ohmnas.search.quantities import Quantities, Values
from ohmnas.search.quantity_names import COSTS, larger_is_better
from ohmnas.spaces import sampling
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Gene, Population
from ohmnas.spaces.schedule import LAYER_BY_LAYER, Schedule
from ohmnas.spaces.space import Space
from ohmnas.targets import TARGETS

_SAMPLE: Final = 256
"""Number of sampled architectures; the worst value among them sets the scale of a quantity without a limit."""
_BATCHES: Final = 4
"""Largest number of batches of proposals in the first `_HURRIED` samples if n is small; later samples may use more."""
_DRAWS: Final = 6
"""Largest number of samples. If none has an affordable architecture, the problem is reported as infeasible."""
_MANY: Final = 2000
"""Smallest number of architectures to request in each sample after the first `_HURRIED`."""
_HURRIED: Final = 2
"""Number of samples with few batches. After these, fewer than half of the requested architectures are enough."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Maximise an objective within limits, or find a Pareto front."""

    space: Space
    estimator: Estimator
    limits: Limits
    objective: Objective = field(default_factory=Ratio)
    within: Bounds | None = None
    """Bounds on genes; None is the whole space."""
    pareto: tuple[str, ...] = ()
    """Quantities of the Pareto front; empty for no front."""
    chip: Mapping[str, float] | None = None
    """`Hardware.settings()` of the chip, for costs on tiles; None if there is no chip or each design has its own."""
    conversion: Conversion = field(default_factory=Conversion)
    """Assumptions behind energy and latency."""
    schedule: Schedule = LAYER_BY_LAYER
    """How a microcontroller runs the networks; it determines their memory."""
    clock: Clock = field(default_factory=Clock, init=False, compare=False, repr=False)
    """Deadline of the running search; slow strategies check it."""
    bounds: Bounds = field(init=False, compare=False, repr=False)
    """`within`, or the bounds of the whole space."""
    _scales: dict[str, tuple[float, float]] = field(default_factory=dict, init=False, compare=False, repr=False)
    _is_bounded: bool = field(default=False, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Check that the parts fit together.

        Raises:
            InvalidValueError: the bounds are for different genes; the estimator is for a different space, lacks
                quantiles for a confidence, or lacks a target that a limit, the objective or the front needs; the front
                has a single quantity or the same quantity twice; or the space does not support the schedule.
            UnknownNameError: a quantity of the front is unknown.
        """
        whole = self.space.everything
        object.__setattr__(self, "bounds", self.within or whole)
        object.__setattr__(self, "_is_bounded", self.bounds != whole)
        if self.bounds.genes != self.space.genes:
            raise InvalidValueError(f"the bounds are not for the genes of {self.space.name}")
        learned = self.estimator.space or self.space
        if learned != self.space:
            raise InvalidValueError(
                f"the estimator is for {learned}, but the problem is for {self.space}: use estimator.space"
            )
        if self.limits.confidence is not None and not self.estimator.has_quantiles:
            raise InvalidValueError("a confidence needs an estimator with quantiles (has_quantiles)")
        needed = [*self.limits.on_targets(), *self.pareto, *self.objective.needs]
        object.__setattr__(self, "estimator", self.estimator.predicting(name for name in needed if name in TARGETS))
        estimated = [one.name for one in self.estimator.targets]
        for name in self.pareto:
            check_name("quantity", [*estimated, *COSTS], name)
        if self.schedule != LAYER_BY_LAYER:  # spaces without depthwise convolutions reject it
            none = np.empty((0, len(self.space.gene_names)), dtype=np.int16)
            self.space.layers(none).scheduled_memory(self.schedule)
        if len(self.pareto) == 1 or len(set(self.pareto)) < len(self.pareto):
            raise InvalidValueError("a Pareto front needs at least two different quantities")

    @property
    def genes(self) -> int:
        """Number of genes, the columns of a population."""
        return len(self.space.gene_names)

    def choices(self, gene: int) -> npt.NDArray[np.int16]:
        """Values that a gene can take if its block exists."""
        return self.bounds.choices(gene)

    @property
    def spans(self) -> Values:
        """``(g,)``: difference between the largest and the smallest choice of each gene."""
        return np.array([float(np.ptp(self.choices(gene))) for gene in range(self.genes)])

    def sample(self, n: int, rng: np.random.Generator) -> Population:
        """At most n affordable architectures, spread evenly over the logarithm of the parameter count.

        Raises:
            InfeasibleError: no sampled architecture meets the limits on costs; the message lists the violated limits.
        """
        if n == 0:
            return np.empty((0, self.genes), dtype=np.int16)
        limits = self.limits
        bounds = (limits.max_params, limits.max_macs, limits.min_params)
        batches = min(_BATCHES + _BATCHES * n // sampling.PROPOSALS, sampling.MAX_BATCHES)
        found, tried = [np.empty((0, self.genes), dtype=np.int16)], []
        for draw in range(_DRAWS):
            max_batches = batches if draw < _HURRIED else sampling.MAX_BATCHES
            at_least = 0 if draw < _HURRIED else 1
            many = n if draw < _HURRIED else max(n, _MANY)
            drawn = self.space.sample(
                many, rng, *bounds, at_least=at_least, within=self.bounds, max_batches=max_batches
            )
            found.append(drawn[self.affordable(drawn)])
            tried.append(drawn)
            have = sum(map(len, found))
            if 2 * have >= n or (have and (draw + 1 >= _HURRIED or self.clock.is_up())):
                break
        population: Population = np.unique(np.concatenate(found), axis=0)
        if not len(population):
            seen = self.quantities(np.concatenate(tried))
            raise InfeasibleError(
                f"none of the {len(seen):,} sampled {self.space.members} meets all limits on costs: "
                f"{limits.missed_costs(seen)}"
            )
        return population[rng.permutation(len(population))[:n]]

    def mutate(self, population: Population, rng: np.random.Generator, rates: Mapping[str, float]) -> Population:
        """``(n, g)``: a child of each row; each group of genes mutates with its probability."""
        return self._inside(self.space.mutate(population, rng, rates))

    def cross(self, mothers: Population, fathers: Population, rng: np.random.Generator) -> Population:
        """``(n, g)``: a child of each pair."""
        return self._inside(self.space.cross(mothers, fathers, rng))

    def neighbours(self, genome: npt.NDArray[np.int16]) -> Population:
        """``(k, g)``: all architectures one step from a ``(g,)`` genome."""
        near = self._inside(self.space.neighbours(genome))
        near = near[(near != genome).any(axis=1)]
        return np.unique(near, axis=0) if self._is_bounded else near

    def repair(self, population: npt.NDArray[np.integer]) -> Population:
        """``(n, g)``: the nearest architectures within the bounds."""
        return self._inside(self.space.repair(population))

    def _inside(self, population: Population) -> Population:
        return self.space.canonical(self.bounds.project(population)) if self._is_bounded else population

    def affordable(self, population: Population) -> npt.NDArray[np.bool_]:
        """``(n,)``: True for architectures that meet the hard limits on costs and the bounds on genes."""
        fits = self.fits(population)
        return fits & self.bounds.contain(population) if self._is_bounded else fits

    def fits(self, population: Population) -> npt.NDArray[np.bool_]:
        """``(n,)``: True for architectures that meet the hard limits on costs, ignoring the bounds."""
        limited = {cost: getattr(self.limits, name) for name, cost in COST_LIMITS.items()}
        limited = {cost: most for cost, most in limited.items() if most < np.inf}
        least = self.limits.min_params
        cheap = self.quantities(population, together=("params", "macs"))
        within = cheap["params"] >= least if least > 0 else np.ones(len(population), dtype=bool)
        for cost in ("params", "macs"):
            if cost in limited:
                within &= cheap[cost] <= limited.pop(cost)
        if limited:  # these are slow: compute them only for the remaining rows
            rows = np.flatnonzero(within)
            others = self.quantities(population[rows], together=limited)
            within[rows] = np.all([others[cost] <= most for cost, most in limited.items()], axis=0)
        return within

    def evaluate_in_pieces(self, population: Population, size: int) -> Iterator[tuple[Population, Evaluation]]:
        """Evaluate the population in pieces of `size` rows; stop after the piece during which the deadline passes."""
        for start in range(0, len(population), size):
            piece = population[start : start + size]
            yield piece, self.evaluate(piece)
            if self.clock.is_up():
                return

    def evaluate(self, population: Population) -> Evaluation:
        """Predict the targets of ``(n, g)`` architectures and evaluate the predictions."""
        estimate = self.estimator.estimate(population)
        shortfall = np.zeros(len(population))
        for missed in self.missed(estimate).values():
            shortfall += missed
        quantities = self.quantities(population, estimate)

        def losses(name: str) -> Values:
            return self.loss(name, quantities[name])

        objective = self.objective(quantities, losses)
        if self.limits.soft:
            excess = sum(np.maximum(quantities[name] / most - 1.0, 0.0) for name, most in self.limits.soft.items())
            price = 1.0 + self.limits.penalty * excess
            objective = np.where(objective >= 0, objective / price, objective * price)
        columns = [losses(name) for name in self.pareto]
        front = np.column_stack(columns) if columns else np.empty((len(population), 0))
        return Evaluation(objective, shortfall, estimate, front)

    def quantities(
        self, population: Population, estimate: Estimate | None = None, together: Collection[str] = ()
    ) -> Quantities:
        """Quantities of a population. Targets need an estimate; costs in `together` are computed in one pass."""
        chip = {} if self.space.has_chips else self.chip
        return Quantities(self.space, population, chip, estimate, together, self.conversion, self.schedule)

    @property
    def has_chip(self) -> bool:
        """True if costs on tiles are known: the problem has a chip, or each design has its own."""
        return self.space.has_chips or self.chip is not None

    def missed(self, estimate: Estimate) -> dict[str, Values]:
        """Limit on a target -> ``(n,)`` violation by the prediction or, with a confidence, by its quantile."""
        limits, (lowest, highest) = self.limits, self.confidence_bounds(estimate)
        missed = {name: np.maximum(least - lowest[of], 0.0) for name, (of, least) in limits.floors().items()}
        missed |= {name: np.maximum(highest[of] - most, 0.0) for name, (of, most) in limits.ceilings().items()}
        return missed

    def confidence_bounds(self, estimate: Estimate) -> tuple[Estimate, Estimate]:
        """Values to compare with lower and with upper limits: predictions or, with a confidence, their quantiles."""
        confidence = self.limits.confidence
        if confidence is None:
            return estimate, estimate
        return self.estimator.quantile(estimate, 1.0 - confidence), self.estimator.quantile(estimate, confidence)

    def quantile(self, estimate: Estimate, probability: float) -> Estimate | None:
        """Values that labels stay below with this probability; None if the estimator has no quantiles."""
        return self.estimator.quantile(estimate, probability) if self.estimator.has_quantiles else None

    def loss(self, name: str, values: Values) -> Values:
        """``(n,)`` losses of a quantity: 0 at the best and 1 at the worst value of `scale`, without clipping."""
        best, worst = self.scale(name)
        return (values - best) / (worst - best)

    def scale(self, name: str) -> tuple[float, float]:
        """Best and worst value of a quantity; they have the losses 0 and 1.

        The best value is 1 for a target to maximise, and 0 otherwise. The worst value is the limit; without a limit, it
        is the worst value of a sample with a fixed seed. Searches on the same problem therefore have comparable losses
        and hypervolumes.
        """
        if name not in self._scales:
            upwards = larger_is_better(name)
            best = 1.0 if upwards else 0.0
            worst = self.limits.below(name) if upwards else self.limits.on(name)
            if not 0 < worst < np.inf:
                sample = self.sample(_SAMPLE, np.random.default_rng(0))
                values = self.quantities(sample, self.estimator.estimate(sample))[name]
                worst = float(values.min() if upwards else values.max())
            is_worse = worst < best if upwards else worst > best
            self._scales[name] = (best, worst if is_worse else 1.0 - best)
        return self._scales[name]

    @property
    def constraints(self) -> dict[str, Any]:
        """JSON values: limits and, if they matter, bounds on genes, assumptions about conversions and the schedule."""
        whole = self.space.everything
        ends = zip(self.space.genes, self.bounds.low, self.bounds.high, whole.low, whole.high, strict=True)
        bounds = {
            gene.name: [end_of(gene, low), end_of(gene, high)]
            for gene, low, high, least, most in ends
            if (low, high) != (least, most)
        }
        values = {**self.limits.to_dict(), **({"genes": bounds} if bounds else {})}
        if self.asks_for_energy:
            values["conversion"] = self.conversion.to_dict()
        if self.schedule != LAYER_BY_LAYER:
            values["schedule"] = self.schedule.to_dict()
        return values

    @property
    def asks_for_energy(self) -> bool:
        """True if energy or latency is limited, scored or on the front."""
        limited = {cost for name, cost in COST_LIMITS.items() if getattr(self.limits, name) < np.inf}
        return not {"energy", "latency"}.isdisjoint({*limited, *self.limits.soft, *self.pareto, *self.objective.needs})


def end_of(gene: Gene, value: int) -> int | str:
    """Return a bound on a gene for a file: a number, or the label of the value if the gene has labels."""
    return gene.text(value) if gene.labels else int(value)
