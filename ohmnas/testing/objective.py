"""The contract of an objective."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ohmnas.search.limits import Limits
from ohmnas.search.objective import Objective
from ohmnas.search.problem import Problem
from ohmnas.search.quantity_names import QUANTITIES
from ohmnas.search.run import Budget, search
from ohmnas.search.strategies import Random
from ohmnas.testing.formula import SPACE, Formula


class ObjectiveContract(ABC):
    """Subclass this as ``class TestMine(ObjectiveContract)`` and implement `make`."""

    @abstractmethod
    def make(self) -> Objective:
        """The objective."""

    def problem(self) -> Problem:
        """A problem that maximises the objective, on images of 8 x 8 pixels."""
        return Problem(SPACE, Formula(), Limits(50_000, 2e6, 0.05, 1000), self.make())

    def test_its_name_is_a_text_that_results_can_hold(self) -> None:
        """The name is printable, not empty, without spaces around it, and the same for two equal objectives."""
        name = self.make().name
        assert isinstance(name, str)
        assert name.isprintable()
        assert name.strip() == name != ""
        assert name == self.make().name

    def test_it_declares_the_quantities_it_needs(self) -> None:
        """`Objective.needs` is a tuple of names in `QUANTITIES`. A problem checks that it can provide them."""
        needs = self.make().needs
        assert isinstance(needs, tuple)
        assert {*needs} <= {*QUANTITIES}

    def test_it_is_a_finite_number_for_each_architecture(self) -> None:
        """The values are ``(n,)`` finite float64."""
        problem = self.problem()
        for n in (1, 50):
            values = problem.evaluate(problem.sample(n, np.random.default_rng(n))).objective
            assert values.shape == (n,)
            assert values.dtype == np.float64
            assert np.isfinite(values).all()

    def test_an_architecture_has_one_value_in_any_batch(self) -> None:
        """An architecture has the same value in reverse order and in a call of its own."""
        problem = self.problem()
        population = problem.sample(20, np.random.default_rng(0))
        values = problem.evaluate(population).objective
        np.testing.assert_allclose(problem.evaluate(population[::-1]).objective[::-1], values, rtol=1e-12)
        alone = [problem.evaluate(population[row : row + 1]).objective[0] for row in range(len(population))]
        np.testing.assert_allclose(alone, values, rtol=1e-12)

    def test_a_search_finds_its_largest_value(self) -> None:
        """The objective never decreases in the history, and the result has its last, largest value."""
        problem = self.problem()
        result = search(problem, Random, 0, Budget(40, 3))
        assert result.objective == problem.objective.name
        objectives = [entry["objective"] for entry in result.history]
        assert objectives == sorted(objectives)
        best = problem.evaluate(np.array([result.best.genome], dtype=np.int16))
        np.testing.assert_allclose(best.objective[0], objectives[-1], rtol=1e-12)
