"""The contract of a search strategy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar

import numpy as np

from ohmnas.search.limits import Limits
from ohmnas.search.pareto import front, hypervolume
from ohmnas.search.problem import Problem
from ohmnas.search.run import Budget, Generation, search
from ohmnas.search.strategy import Strategy
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Population
from ohmnas.testing.formula import EIGHT, NARROW, SPACE, Formula


class StrategyContract(ABC):
    """Subclass this as ``class TestMine(StrategyContract)`` and implement `make`."""

    offspring: ClassVar[int] = 30
    """Architectures per generation; use fewer for a slow strategy."""
    generations: ClassVar[int] = 12
    """Generations after the first."""
    asks_once: ClassVar[bool] = False
    """True if the strategy proposes a single generation, as a ranking of one sample does."""
    draws_nothing: ClassVar[bool] = False
    """True if the proposals do not depend on the generator, as for a grid."""
    bounds: ClassVar[Bounds | None] = None
    """Bounds on genes, such as `formula.NARROW`, for a strategy that enumerates the whole space."""

    @abstractmethod
    def make(self, problem: Problem) -> Strategy:
        """The strategy for a problem."""

    def problem(self, max_avm: float = 0.02, avm_offset: float = 0.0) -> tuple[Problem, Formula]:
        """A problem on images of 8 x 8 pixels, and its estimator."""
        formula = Formula(avm_offset)
        return Problem(SPACE, formula, Limits(50_000, 2e6, max_avm, 1000), within=self.bounds), formula

    def proposals(self, problem: Problem, seed: int, rounds: int = 3) -> list[Population]:
        """Proposals of each round. After each round, the strategy is told the evaluations of the affordable ones."""
        strategy, rng = self.make(problem), np.random.default_rng(seed)
        found = []
        for _ in range(rounds):
            found.append(strategy.ask(self.offspring, rng))
            self._tell(problem, strategy, found[-1])
        return found

    @staticmethod
    def _tell(problem: Problem, strategy: Strategy, population: Population) -> None:
        """Tell the strategy the evaluations of the affordable architectures, each once, as a search does."""
        evaluated = np.unique(population[problem.affordable(population)], axis=0)
        if len(evaluated):
            strategy.tell(evaluated, problem.evaluate(evaluated))

    @property
    def _budget(self) -> Budget:
        return Budget(self.offspring, self.generations)

    def test_it_declares_whether_oversampling_is_allowed(self) -> None:
        """`Strategy.allows_oversampling` is a bool."""
        assert isinstance(self.make(self.problem()[0]).allows_oversampling, bool)

    def test_proposals_are_canonical_and_within_the_bounds(self) -> None:
        """All proposals are valid, in the whole space and in a part of it."""
        for within in (self.bounds, NARROW):
            problem = replace(self.problem()[0], within=within)
            for population in self.proposals(problem, 0, rounds=4):
                assert np.array_equal(SPACE.check(population), population)
                assert problem.bounds.contain(population).all()
                assert self.asks_once or len(population) > 0

    def test_it_draws_only_from_the_generator_that_it_is_given(self) -> None:
        """The same seed gives the same proposals. Another seed gives different ones, unless `draws_nothing`."""
        first, second, other = (self.proposals(self.problem()[0], seed) for seed in (7, 7, 8))
        assert all(map(np.array_equal, first, second))
        assert self.draws_nothing or not all(map(np.array_equal, first, other))

    def test_it_continues_for_any_subset_of_evaluated_proposals(self) -> None:
        """`ask` may follow `ask`, and `tell` may follow `tell`.

        `tell` may receive any subset of the proposals, and other architectures.
        """
        for offset in (0.0, 0.8):  # with 0.8, nothing is feasible
            self._continues(offset, asks=2, share=1.0, others=0)
            self._continues(offset, asks=1, share=0.5, others=5)
            self._continues(offset, asks=1, share=0.0, others=5)
            self._continues(offset, asks=0, share=0.0, others=5)
            self._continues(offset, asks=3, share=0.0, others=0)

    def _continues(self, avm_offset: float, asks: int, share: float, others: int) -> None:
        problem, _ = self.problem(avm_offset=avm_offset)
        strategy, rng = self.make(problem), np.random.default_rng(0)
        answered = False
        for _ in range(2):
            asked = [strategy.ask(self.offspring, rng) for _ in range(asks)]
            proposed = np.concatenate([problem.sample(0, rng), *asked])
            evaluated = proposed[: round(share * len(proposed))]
            evaluated = np.concatenate([evaluated, problem.sample(others, rng)])
            self._tell(problem, strategy, evaluated)
            answered |= len(evaluated) > 0
        population = strategy.ask(self.offspring, rng)
        assert np.array_equal(SPACE.check(population), population)
        assert (len(population) > 0) == (not self.asks_once or not answered)

    def test_every_member_of_every_generation_meets_every_limit(self) -> None:
        """Exact costs meet the limits on costs, and the estimator's predictions meet the limits on predictions."""
        formula = Formula()
        limits = Limits(60_000, 2e6, 0.025, 1000, 0.5, max_std=0.022, max_size=60_000, max_memory=3000)
        problem = Problem(SPACE, formula, limits, within=self.bounds)
        generations: list[Generation] = []
        search(problem, self.make, 0, self._budget, generations.append)
        assert len(generations) == (2 if self.asks_once else self.generations + 1)
        assert sum(len(generation.born) for generation in generations) > 0
        for generation in generations:
            of, predicted = problem.quantities(generation.born), formula.estimate(generation.born)
            assert ((of["params"] <= 60_000) & (of["params"] >= 1000) & (of["macs"] <= 2e6)).all()
            assert ((of["size"] <= 60_000) & (of["memory"] <= 3000)).all()
            assert ((predicted["avm"] <= 0.025) & (predicted["accuracy_1d"] >= 0.5)).all()
            assert (predicted["accuracy_1d_std"] <= 0.022).all()

    def test_the_best_so_far_never_gets_worse_and_is_what_is_returned(self) -> None:
        """The result is the best of all evaluated architectures, and none is evaluated twice."""
        problem, formula = self.problem()
        result = search(problem, self.make, 1, self._budget)
        objectives = [entry["objective"] for entry in result.history]
        assert objectives == sorted(objectives)
        everything = np.concatenate(formula.asked[:-1])  # the last call estimates the references
        evaluation = problem.evaluate(everything)
        assert result.evaluations == len(everything) == len(np.unique(everything, axis=0))
        best = evaluation.objective[evaluation.feasible].max()
        assert objectives[-1] == best
        again = problem.evaluate(np.array([result.best.genome], dtype=np.int16))
        assert (again.objective[0], again.estimate.row(0)) == (best, result.best.predicted)

    def test_the_same_seed_gives_the_same_search(self) -> None:
        """The results are equal except for the time."""
        few = replace(self._budget, iterations=2)
        results = [search(self.problem()[0], self.make, 3, few).to_dict() for _ in range(2)]
        for values in results:
            del values["seconds"]
        assert results[0] == results[1]

    def test_a_front_is_everything_that_nothing_else_beats(self) -> None:
        """The front has all feasible architectures that no other dominates, and its hypervolume never shrinks."""
        problem, formula = self.problem()
        problem = replace(problem, pareto=("accuracy_1d", "params"))
        problem.scale("accuracy_1d")
        formula.asked.clear()  # drop the sample that set the scale
        result = search(problem, self.make, 2, self._budget)
        evaluation = problem.evaluate(np.concatenate(formula.asked[:-1]))
        losses = evaluation.losses[evaluation.feasible]
        expected = losses[front(losses)]
        found = problem.evaluate(np.array([candidate.genome for candidate in result.front], dtype=np.int16))
        assert found.feasible.all()
        assert np.array_equal(np.unique(found.losses, axis=0), np.unique(expected, axis=0))
        volumes = [entry["hypervolume"] for entry in result.history]
        assert volumes == sorted(volumes)
        assert np.isclose(volumes[-1], hypervolume(expected), rtol=1e-6)

    def test_a_budget_of_evaluations_is_exact(self) -> None:
        """The number of evaluations equals the budget."""
        for evaluations in (1, 17):
            problem, formula = self.problem(max_avm=1.0)
            result = search(problem, self.make, 0, Budget(self.offspring, 20, evaluations=evaluations))
            assert result.stopped == "evaluations"
            assert result.evaluations == sum(map(len, formula.asked[:-1])) == evaluations

    def test_a_space_of_eight_architectures_is_searched_whole(self) -> None:
        """All eight architectures are evaluated, and the search ends."""
        problem = replace(self.problem(max_avm=1.0)[0], within=EIGHT)
        everything = problem.bounds.nth(np.arange(problem.bounds.size))
        result = search(problem, self.make, 0, Budget(self.offspring, 15))
        assert result.evaluations == problem.affordable(everything).sum() == 8
        assert result.history[-1]["objective"] == problem.evaluate(everything).objective.max()
