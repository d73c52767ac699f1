from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError, MissingDependencyError
from ohmnas.estimate import Estimate
from ohmnas.search import Budget, Limits, Problem, search
from ohmnas.search.strategies import Bayesian
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Population
from ohmnas.spaces.mobile import MobileSpace
from ohmnas.testing.formula import Formula
from tests.search.conftest import problem

pytest.importorskip("optuna")


def trials(strategy: Bayesian) -> list[Any]:
    found: list[Any] = strategy._study.get_trials(deepcopy=False)
    return found


def genome(trial: Any) -> dict[int, int]:
    return {int(gene): value for gene, value in trial.params.items()}


def test_it_samples_until_it_has_enough_evaluations() -> None:
    one, _ = problem()
    asked: list[int] = []

    class Counting(Bayesian):
        def _suggest(self, trial: Any) -> Any:
            asked.append(self._evaluated)
            return super()._suggest(trial)

    search(one, partial(Counting, startup=30), 0, Budget(10, 4))
    assert asked
    assert min(asked) >= 30


def test_it_proposes_no_more_once_time_is_up() -> None:
    one, _ = problem()
    now = [0.0]
    suggested: list[float] = []

    class Slow(Bayesian):
        def _suggest(self, trial: Any) -> Any:
            now[0] += 1.0
            suggested.append(now[0])
            return super()._suggest(trial)

    result = search(one, partial(Slow, startup=30), 0, Budget(40, 99, seconds=2.5, clock=lambda: now[0]))
    assert result.stopped == "seconds"
    assert len(suggested) == 3


def test_it_learns_from_what_it_did_not_ask_for(rng: np.random.Generator) -> None:
    one, _ = problem()
    strategy = Bayesian(one)
    strategy.ask(5, rng)
    population = one.sample(12, rng)
    said = one.evaluate(population)
    strategy.tell(population, said)
    assert len(trials(strategy)) == 12
    for trial, row, objective, short in zip(trials(strategy), population, said.objective, said.shortfall, strict=True):
        assert genome(trial) == {gene: row[gene] for gene in genome(trial)}
        assert len(genome(trial)) == 3 + 5 * row[2]  # only genes that exist
        assert trial.values == [-objective]
        assert list(trial.constraints.values()) == [short]


def test_each_proposal_gets_one_evaluation_and_unaffordable_ones_get_it_at_once(rng: np.random.Generator) -> None:
    one, _ = problem()
    strategy = Bayesian(one, candidates=2, startup=10)
    first = one.sample(10, rng)
    strategy.ask(1, rng)
    strategy.tell(first, one.evaluate(first))
    population = strategy.ask(6, rng)
    affordable = one.affordable(population)
    states = [trial.state.name for trial in trials(strategy)[10:]]
    assert states == ["RUNNING" if fits else "COMPLETE" for fits in affordable]
    answered = population[affordable][1:]  # one of them the search does not evaluate
    strategy.tell(answered, one.evaluate(answered))
    assert len(trials(strategy)) == 16
    assert all(trial.state.name == "COMPLETE" for trial in trials(strategy))
    short = [max(trial.constraints.values()) for trial in trials(strategy)[10:]]
    said = dict(zip(map(bytes, answered), one.evaluate(answered).shortfall, strict=True)) if len(answered) else {}
    assert short == [said.get(bytes(row), 1e6) for row in population]


class Flat(Formula):
    def estimate(self, population: Population) -> Estimate:
        n = len(population)
        return Estimate.of(accuracy_1d=np.linspace(0.1, 0.9, n), accuracy_1d_std=np.full(n, 0.01), avm=np.full(n, 0.01))


def test_values_with_unequal_steps_are_numbered(rng: np.random.Generator) -> None:
    space = MobileSpace((1, 8, 8), 10)
    gene = space.genes.names.index("W1")
    values = space.genes.entries[gene].values
    within = Bounds.of(space.genes, {"W1": (values[-3], values[-1])})
    assert len({*np.diff(values[-3:])}) > 1
    one = Problem(space, Flat(), Limits(), within=within)
    initial = one.sample(20, rng)
    initial[0, gene] = values[-1]
    result = search(one, partial(Bayesian, startup=10), 0, Budget(10, 3), initial=initial)
    assert within.contain(result.population).all()


def test_with_a_front_it_minimises_each_loss(rng: np.random.Generator) -> None:
    one = replace(problem()[0], pareto=("accuracy_1d", "params", "avm"))
    strategy = Bayesian(one, candidates=2, startup=10)
    strategy.ask(1, rng)
    population = one.sample(10, rng)
    said = one.evaluate(population)
    strategy.tell(population, said)
    assert np.array_equal([trial.values for trial in trials(strategy)], said.losses)
    assert len(strategy.ask(2, rng)) == 2


def test_it_forgets_all_but_the_best_and_the_latest(rng: np.random.Generator) -> None:
    one, _ = problem()
    strategy = Bayesian(one, memory=20)
    strategy.ask(1, rng)
    everything: list[Population] = []
    for _ in range(12):
        population = one.sample(7, rng)
        strategy.tell(population, one.evaluate(population))
        everything.append(population)
        assert len(trials(strategy)) < 40
    said = one.evaluate(np.concatenate(everything))
    best = said.objective[said.feasible].max()
    values = [trial.values[0] for trial in trials(strategy) if max(trial.constraints.values()) == 0]
    assert -best == min(values)
    latest = [trial.values[0] for trial in trials(strategy)[-7:]]
    assert latest == (-one.evaluate(everything[-1]).objective).tolist()


def test_it_is_better_than_random_sampling_at_equal_evaluations() -> None:
    better = 0
    for seed in range(2):
        one, _ = problem()
        make = partial(Bayesian, startup=40, candidates=8)
        result = search(one, make, seed, Budget(20, 20, evaluations=90))
        said = one.evaluate(one.sample(result.evaluations, np.random.default_rng(seed)))
        better += result.history[-1]["objective"] > said.objective[said.feasible].max()
    assert better >= 1


@pytest.mark.parametrize("name", ["startup", "candidates", "memory"])
def test_parameters_out_of_range_are_refused(name: str) -> None:
    parameters: dict[str, Any] = {name: 0}
    with pytest.raises(InvalidValueError, match=f"{name} must be at least 1, not 0"):
        Bayesian(problem()[0], **parameters)


def test_without_optuna_the_message_states_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(
        MissingDependencyError, match=r"bayesian needs Optuna .*; install it with: pip install 'ohmnas\[strategies\]'"
    ):
        Bayesian(problem()[0])
