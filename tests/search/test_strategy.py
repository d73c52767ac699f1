"""What strategies learn, and how a user names them and their parameters; `testing` has the contract of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.estimate import Estimate
from ohmnas.search import STRATEGIES, Limits, Problem
from ohmnas.search.strategies import parameters_of, strategy
from ohmnas.search.strategy import Strategy
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Population

from .conftest import SPACE, Formula, predicted, problem

NARROW = Bounds.of(
    SPACE.genes, {"M": (1, 3), "R": (1, 2), "B": (1, 2), "WF": (1, 2), "OC0": (8, 10), "KS0": (3, 5), "skip2": (1, 1)}
)
"""About 100,000 architectures: few enough for a grid."""
NEEDS = {"nsga2": "pymoo", "bayesian": "optuna"}
MADE: dict[str, Callable[..., Strategy]] = dict(STRATEGIES)


def affordable(one: Problem, population: Population) -> Population:
    """What a search evaluates of a proposal."""
    return np.unique(population[one.affordable(population)], axis=0)


def proposals(
    make: Callable[[Problem], Strategy], births: int, one: Problem, seed: int, rounds: int
) -> list[Population]:
    """What a strategy proposes if all that can be afforded is evaluated."""
    asked, rng = make(one), np.random.default_rng(seed)
    found = []
    for _ in range(rounds):
        found.append(asked.ask(births, rng))
        population = affordable(one, found[-1])
        if len(population):
            asked.tell(population, one.evaluate(population))
    return found


class KernelsDecide(Formula):
    """Seven is good, five is bad, three between."""

    def estimate(self, population: Population) -> Estimate:
        accuracy = np.array([0.5, 0.2, 0.9])[(population[:, 1] - 3) // 2]
        return predicted(accuracy, np.full(len(population), 0.01), np.zeros(len(population)))


@pytest.mark.parametrize("name", [name for name in STRATEGIES if name not in {"random", "rank", "grid", "local"}])
def test_learning_strategies_propose_good_values_more_often(name: str) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    births, rounds = (15, 4) if name == "bayesian" else (60, 30)
    faster: dict[str, Any] = {"q-learning": {"explore_for": 400}, "bayesian": {"startup": 15, "candidates": 12}}
    make = partial(MADE[name], **faster.get(name, {}))
    one = Problem(SPACE, KernelsDecide(), Limits(50_000, 2e6))
    for seed in range(3):
        first, *_, last = proposals(make, births, one, seed, rounds)
        share = [float((one.evaluate(part).estimate["accuracy_1d"] > 0.8).mean()) for part in (first, last)]
        assert share[0] < 0.55
        assert share[1] > share[0] + 0.1, share


def test_a_strategy_is_made_with_the_parameters_that_a_user_types() -> None:
    one, _ = problem()
    made = strategy("evolution", {"keep": "12", "crossover": "0.5", "selection": "elitism"})(one)
    assert repr(made) == repr(STRATEGIES["evolution"](one, keep=12, crossover=0.5, selection="elitism"))
    assert repr(strategy("aging")(one)) == repr(STRATEGIES["aging"](one))
    for name in STRATEGIES:
        assert callable(strategy(name))


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("magic", {}, "unknown strategy 'magic': choose evolution, random, grid"),
        ("evolution", {"kep": "1"}, r"unknown parameter of evolution 'kep': choose keep, selection, .*, other"),
        ("evolution", {"problem": "1"}, "unknown parameter of evolution 'problem'"),
        ("evolution", {"_parents": "1"}, "unknown parameter of evolution '_parents'"),
        ("evolution", {"allows_oversampling": "1"}, "unknown parameter of evolution 'allows_oversampling'"),
        ("nsga2", {"x": "1"}, "unknown parameter of nsga2 'x': choose crossover"),
        ("random", {"keep": "1"}, "the strategy random has no parameters"),
        ("grid", {"keep": "1"}, "the strategy grid has no parameters"),
    ],
)
def test_names_that_there_are_not_are_named_with_those_that_there_are(
    name: str, parameters: dict[str, str], message: str
) -> None:
    with pytest.raises((InvalidValueError, UnknownNameError), match=message):
        strategy(name, parameters)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("evolution", {"keep": "many"}, "the parameter keep of evolution must be a whole number, not 'many'"),
        ("evolution", {"keep": "1.5"}, "the parameter keep of evolution must be a whole number, not '1.5'"),
        ("evolution", {"crossover": "often"}, "the parameter crossover of evolution must be a number, not 'often'"),
        ("q-learning", {"learning_rate": ""}, "the parameter learning_rate of q-learning must be a number, not ''"),
    ],
)
def test_parameters_of_another_kind_are_refused(name: str, parameters: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        strategy(name, parameters)


def test_every_parameter_of_every_strategy_can_be_typed() -> None:
    one, _ = problem()
    for name, made_of in STRATEGIES.items():
        if name in NEEDS:
            pytest.importorskip(NEEDS[name])
        usual = made_of(replace(one, within=NARROW))
        names = [*parameters_of(made_of)]
        assert names == [field.name for field in fields(usual)[1:] if not field.name.startswith("_")]
        typed = {name: str(getattr(usual, name)) for name in names}
        again = strategy(name, typed)(one if name != "grid" else replace(one, within=NARROW))
        assert [getattr(again, name) for name in names] == [getattr(usual, name) for name in names]
