"""The contract of an estimator."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ohmnas.errors import InvalidValueError
from ohmnas.search.estimator import Estimator
from ohmnas.search.limits import Limits
from ohmnas.search.objective import Losses
from ohmnas.search.problem import Problem
from ohmnas.search.quantities import Quantities, Values
from ohmnas.search.run import Budget, search
from ohmnas.search.strategies import Random
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.targets import Target
from ohmnas.testing.formula import SPACE


class EstimatorContract(ABC):
    """Subclass this as ``class TestMine(EstimatorContract)`` and implement `make`."""

    rows: ClassVar[int] = 12
    """Architectures per call; use fewer for a slow estimator."""
    max_params: ClassVar[int] = 20_000
    """Largest number of parameters of these architectures."""
    depends_on_batch: ClassVar[bool] = False
    """True if an architecture's values depend on the other architectures in the same call, as ranks do."""
    draws_nothing: ClassVar[bool] = False
    """True if the values do not depend on the seed."""

    tolerance: ClassVar[float] = 1e-4
    """Largest relative difference between values that should differ only by rounding."""

    @abstractmethod
    def make(self, seed: int) -> Estimator:
        """The estimator. All of its random numbers come from the seed."""

    def space(self) -> Space:
        """The space to test in: the estimator's own, or the ResNet-like space on images of 8 x 8 pixels."""
        return self.make(0).space or SPACE

    def population(self, seed: int = 0) -> Population:
        """``(rows, g)``: architectures to estimate."""
        return self.space().sample(self.rows, np.random.default_rng(seed), max_params=self.max_params)

    def test_its_targets_have_names_and_ranges(self) -> None:
        """At least one target exists; names are unique identifiers; the low end of each range is below its high end."""
        targets = self.make(0).targets
        assert isinstance(targets, tuple)
        assert targets
        assert all(isinstance(target, Target) for target in targets)
        names = [target.name for target in targets]
        assert len({*names}) == len(names)
        assert all(name.isidentifier() for name in names)
        assert all(target.low < target.high for target in targets)

    def test_it_estimates_each_target_of_each_architecture(self) -> None:
        """The values are ``(n, t)`` finite float64 in the ranges of the targets, even for one architecture or none."""
        one, population = self.make(0), self.population()
        for n in (len(population), 1, 0):
            found = one.estimate(population[:n])
            assert found.targets == one.targets
            assert found.values.shape == (n, len(one.targets))
            assert found.values.dtype == np.float64
            assert np.isfinite(found.values).all()
            for target in one.targets:
                assert ((found[target.name] >= target.low) & (found[target.name] <= target.high)).all(), target.name

    def test_it_does_not_change_the_population(self) -> None:
        """`estimate` does not modify the population."""
        population = self.population()
        before = population.copy()
        self.make(0).estimate(population)
        assert np.array_equal(population, before)

    def test_the_same_seed_gives_the_same_values(self) -> None:
        """Two calls, or two estimators with the same seed, give the same values.

        They do not use NumPy's global generator. Another seed gives different values, unless `draws_nothing`.
        """
        population, one = self.population(), self.make(0)
        first = one.estimate(population).values
        state = np.random.get_state()  # noqa: NPY002 - its state must not change
        assert np.array_equal(first, one.estimate(population).values)
        assert np.array_equal(first, self.make(0).estimate(population).values)
        assert str(state) == str(np.random.get_state())  # noqa: NPY002
        other = self.make(1).estimate(population).values
        assert np.array_equal(first, other) == self.draws_nothing

    def test_an_architecture_has_one_value_in_any_batch(self) -> None:
        """An architecture has the same values in reverse order and, unless `depends_on_batch`, in a call of its own."""
        population, one = self.population(), self.make(0)
        values = one.estimate(population).values
        np.testing.assert_allclose(one.estimate(population[::-1]).values[::-1], values, rtol=self.tolerance, atol=1e-9)
        if not self.depends_on_batch:
            alone = [one.estimate(population[row : row + 1]).values[0] for row in range(len(population))]
            np.testing.assert_allclose(alone, values, rtol=self.tolerance, atol=1e-9)

    def test_it_declares_the_targets_it_predicts(self) -> None:
        """`Estimator.predicting` keeps the targets of the estimator and rejects an unknown one."""
        one = self.make(0)
        names = {target.name for target in one.targets}
        assert names <= {target.name for target in one.predicting([*names]).targets}
        assert _is_rejected(lambda: one.predicting(["an_unknown_target"]))

    def test_its_origin_can_be_written_as_json(self) -> None:
        """`Estimator.provenance` is unchanged after it is written as strict JSON and read back."""
        provenance = dict(self.make(0).provenance)
        assert json.loads(json.dumps(provenance, allow_nan=False)) == provenance

    def test_its_quantiles_rise_or_are_refused(self) -> None:
        """Quantiles rise with the probability. If `has_quantiles` is False, `quantile` raises an error."""
        one = self.make(0)
        estimate = one.estimate(self.population())
        if not one.has_quantiles:
            assert _is_rejected(lambda: one.quantile(estimate, 0.5))
            return
        low, middle, high = (one.quantile(estimate, probability).values for probability in (0.1, 0.5, 0.9))
        assert (low <= middle).all()
        assert (middle <= high).all()

    def test_a_search_can_ask_it(self) -> None:
        """A search with the first target as the objective runs, and its best objective never falls."""
        one = self.make(0)
        problem = Problem(self.space(), one, Limits(self.max_params), _FirstTarget(one.targets[0]))
        result = search(problem, Random, 0, Budget(self.rows, 1))
        objectives = [entry["objective"] for entry in result.history]
        assert objectives == sorted(objectives)
        assert one.targets[0].name in result.best.predicted


def _is_rejected(call: Callable[[], object]) -> bool:
    """Return True if a call raises an `InvalidValueError`."""
    try:
        call()
    except InvalidValueError:
        return True
    return False


@dataclass(frozen=True)
class _FirstTarget:
    """One target as an objective."""

    target: Target

    @property
    def name(self) -> str:
        return self.target.name

    @property
    def needs(self) -> tuple[str, ...]:
        return ()

    def __call__(self, of: Quantities, losses: Losses) -> Values:  # noqa: ARG002 - an Objective
        values: Values = of[self.target.name]
        return values if self.target.larger_is_better else -values
