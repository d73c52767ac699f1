"""The contract of a strategy, for every one that there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.search import STRATEGIES, Budget, Limits, Problem, pareto, search
from ohmnas.search.run import Generation
from ohmnas.search.strategies import strategy
from ohmnas.search.strategy import Strategy
from ohmnas.spaces.bounds import EVERYTHING, Bounds
from ohmnas.spaces.genes import Population

from .conftest import SPACE, Formula, Predicted, problem

NARROW = Bounds.of(
    {"M": (1, 3), "R": (1, 2), "B": (1, 2), "WF": (1, 2), "OC0": (8, 10), "KS0": (3, 5), "skip2": (1, 1)}
)
"""About 100,000 architectures: few enough for a grid."""
NEEDS = {"nsga2": "pymoo", "bayesian": "optuna"}
MADE: dict[str, Callable[..., Strategy]] = dict(STRATEGIES)


@dataclass(frozen=True)
class Case:
    """A strategy and how much of it a test can afford."""

    name: str
    make: Callable[[Problem], Strategy]
    births: int = 30
    generations: int = 12

    @property
    def budget(self) -> Budget:
        return Budget(self.births, self.generations)

    def problem(self, **limits: float) -> tuple[Problem, Formula]:
        """Of the whole space; of a part of it where the strategy goes through all."""
        one, formula = problem(**limits)
        return (replace(one, within=NARROW) if self.name == "grid" else one), formula


@pytest.fixture(params=list(STRATEGIES))
def case(request: pytest.FixtureRequest) -> Case:
    if request.param in NEEDS:
        pytest.importorskip(NEEDS[request.param])
    if request.param == "bayesian":  # Optuna takes its time for each proposal
        return Case("bayesian", partial(MADE["bayesian"], startup=8, candidates=4), 6, 3)
    return Case(request.param, STRATEGIES[request.param])


def affordable(one: Problem, population: Population) -> Population:
    """What a search evaluates of a proposal."""
    return np.unique(population[one.affordable(population)], axis=0)


def proposals(case: Case, one: Problem, seed: int, rounds: int = 3) -> list[Population]:
    """What a strategy proposes if all that can be afforded is evaluated."""
    asked, rng = case.make(one), np.random.default_rng(seed)
    found = []
    for _ in range(rounds):
        found.append(asked.ask(case.births, rng))
        population = affordable(one, found[-1])
        if len(population):
            asked.tell(population, one.evaluate(population))
    return found


@pytest.mark.parametrize("within", [EVERYTHING, NARROW], ids=["everywhere", "bounded"])
def test_proposals_are_canonical_and_within_the_bounds(case: Case, within: Bounds) -> None:
    one = replace(case.problem()[0], within=NARROW if case.name == "grid" else within)
    for population in proposals(case, one, 0, rounds=4):
        assert np.array_equal(SPACE.check(population), population)
        assert one.within.contain(population).all()
        assert case.name == "rank" or len(population) > 0


def test_it_draws_only_from_the_generator_it_is_given(case: Case) -> None:
    first, second, other = (proposals(case, case.problem()[0], seed) for seed in (7, 7, 8))
    assert all(map(np.array_equal, first, second))
    assert case.name == "grid" or not all(map(np.array_equal, first, other))


def told(one: Problem, asked: Strategy, population: Population) -> None:
    asked.tell(population, one.evaluate(population))


def ask_twice_before_one_answer(one: Problem, asked: Strategy, births: int, rng: np.random.Generator) -> None:
    for _ in range(2):
        both = np.concatenate([asked.ask(births, rng), asked.ask(births, rng)])
        if len(both):
            told(one, asked, affordable(one, both))


def answer_half_of_it_and_some_that_nobody_asked_for(
    one: Problem, asked: Strategy, births: int, rng: np.random.Generator
) -> None:
    for _ in range(3):
        half = affordable(one, asked.ask(births, rng))[::2]
        told(one, asked, np.unique(np.concatenate([half, one.sample(5, rng)]), axis=0))


def answer_only_what_nobody_asked_for(one: Problem, asked: Strategy, births: int, rng: np.random.Generator) -> None:
    for _ in range(2):
        asked.ask(births, rng)
        told(one, asked, one.sample(5, rng))


def answer_before_any_question(one: Problem, asked: Strategy, births: int, rng: np.random.Generator) -> None:
    told(one, asked, one.sample(5, rng))


def ask_without_an_answer(one: Problem, asked: Strategy, births: int, rng: np.random.Generator) -> None:
    for _ in range(3):
        asked.ask(births, rng)


@pytest.mark.parametrize(
    "happens",
    [
        ask_twice_before_one_answer,
        answer_half_of_it_and_some_that_nobody_asked_for,
        answer_only_what_nobody_asked_for,
        answer_before_any_question,
        ask_without_an_answer,
    ],
)
@pytest.mark.parametrize("avm_offset", [0.0, 5.0], ids=["feasible", "nothing-feasible"])
def test_it_goes_on_whatever_becomes_of_its_questions(
    case: Case,
    happens: Callable[[Problem, Strategy, int, np.random.Generator], None],
    avm_offset: float,
    rng: np.random.Generator,
) -> None:
    one, _ = case.problem(avm_offset=avm_offset)
    asked = case.make(one)
    happens(one, asked, case.births, rng)
    population = asked.ask(case.births, rng)
    assert np.array_equal(SPACE.check(population), population)
    assert (len(population) > 0) == (case.name != "rank" or happens is ask_without_an_answer)


def test_every_member_of_every_generation_meets_every_limit(case: Case) -> None:
    formula = Formula()
    limits = Limits(60_000, 2e6, 0.025, 1000, 0.5, max_std=0.022, max_size=60_000, max_memory=3000)
    one = Problem(SPACE, formula, limits, within=NARROW if case.name == "grid" else EVERYTHING)
    generations: list[Generation] = []
    search(one, case.make, 0, case.budget, generations.append)
    assert len(generations) == (2 if case.name == "rank" else case.generations + 1)
    assert sum(len(generation.born) for generation in generations) > 0
    for generation in generations:
        of, said = one.quantities(generation.born), formula.forecast(generation.born)
        assert ((of["params"] <= 60_000) & (of["params"] >= 1000) & (of["macs"] <= 2e6)).all()
        assert ((of["size"] <= 60_000) & (of["memory"] <= 3000)).all()
        assert ((said.avm <= 0.025) & (said.accuracy_1d >= 0.5) & (said.accuracy_1d_std <= 0.022)).all()


def test_the_best_so_far_never_gets_worse_and_is_what_is_returned(case: Case) -> None:
    one, formula = case.problem()
    result = search(one, case.make, 1, case.budget)
    objectives = [entry["objective"] for entry in result.history]
    assert objectives == sorted(objectives)
    everything = np.concatenate(formula.asked[:-1])  # the last question is about the references
    said = one.evaluate(everything)
    assert result.evaluations == len(everything)
    assert len(np.unique(everything, axis=0)) == len(everything)  # none is asked twice
    best = said.objective[said.feasible].max()
    assert objectives[-1] == best
    again = one.evaluate(np.array([result.best.genome], dtype=np.int16))
    assert again.objective[0] == best
    assert result.best.predicted["accuracy_1d"] == again.accuracy_1d[0]
    assert SPACE.encode([result.best.architecture])[0].tolist() == list(result.best.genome)


def test_the_same_seed_gives_the_same_search(case: Case) -> None:
    results = [search(case.problem()[0], case.make, 3, replace(case.budget, iterations=2)).to_dict() for _ in range(2)]
    for values in results:
        del values["seconds"]
    assert results[0] == results[1]


def test_a_front_is_what_no_other_beats_of_all_that_was_asked(case: Case) -> None:
    one, formula = case.problem()
    one = replace(one, pareto=("accuracy_1d", "params"))
    one.scale("accuracy_1d")
    formula.asked.clear()  # the sample that the scale is of
    result = search(one, case.make, 2, case.budget)
    said = one.evaluate(np.concatenate(formula.asked[:-1]))
    losses = said.losses[said.feasible]
    expected = losses[pareto.front(losses)]
    of_front = one.evaluate(np.array([candidate.genome for candidate in result.front], dtype=np.int16))
    assert of_front.feasible.all()
    assert np.array_equal(np.unique(of_front.losses, axis=0), np.unique(expected, axis=0))
    volumes = [entry["hypervolume"] for entry in result.history]
    assert volumes == sorted(volumes)
    assert volumes[-1] == pytest.approx(pareto.hypervolume(expected))


@pytest.mark.parametrize("evaluations", [1, 17])
def test_a_budget_of_evaluations_is_kept(case: Case, evaluations: int) -> None:
    one, formula = case.problem(max_avm=1.0)
    result = search(one, case.make, 0, Budget(case.births, 20, evaluations=evaluations))
    assert result.stopped == "evaluations"
    assert result.evaluations == sum(map(len, formula.asked[:-1])) == evaluations


def test_a_space_of_eight_architectures_is_searched_whole(case: Case) -> None:
    few = Bounds.of({"M": (1, 1), "R": (1, 1), "B": (1, 2), "OC0": (8, 9), "KS0": (3, 3), "CT": (1, 1), "WF": (2, 2)})
    one = replace(problem(max_avm=1.0)[0], within=few)
    everything = one.within.nth(np.arange(one.within.size))
    assert len(everything) == 8
    result = search(one, case.make, 0, Budget(case.births, 15))
    assert result.evaluations == one.affordable(everything).sum() == 8
    assert result.history[-1]["objective"] == one.evaluate(everything).objective.max()


class KernelsDecide(Formula):
    """Seven is good, five is bad, three between."""

    def forecast(self, population: Population) -> Predicted:
        accuracy = np.array([0.5, 0.2, 0.9])[(population[:, 1] - 3) // 2]
        return Predicted(accuracy, np.full(len(population), 0.01), np.zeros(len(population)))


@pytest.mark.parametrize("name", [name for name in STRATEGIES if name not in {"random", "rank", "grid", "local"}])
def test_what_learns_proposes_what_was_good_more_often(name: str) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    births, rounds = (15, 4) if name == "bayesian" else (60, 30)
    faster: dict[str, Any] = {"q-learning": {"explore_for": 400}, "bayesian": {"startup": 15, "candidates": 12}}
    make = partial(MADE[name], **faster.get(name, {}))
    one = Problem(SPACE, KernelsDecide(), Limits(50_000, 2e6))
    for seed in range(3):
        first, *_, last = proposals(Case(name, make, births), one, seed, rounds)
        share = [float((one.evaluate(part).accuracy_1d > 0.8).mean()) for part in (first, last)]
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
        ("magic", {}, "no strategy 'magic'; there are evolution, random, grid"),
        ("evolution", {"kep": "1"}, r"no parameter of evolution 'kep'; there are keep, selection, .*, other"),
        ("evolution", {"problem": "1"}, "no parameter of evolution 'problem'"),
        ("evolution", {"_parents": "1"}, "no parameter of evolution '_parents'"),
        ("evolution", {"disposable": "1"}, "no parameter of evolution 'disposable'"),
        ("nsga2", {"x": "1"}, "no parameter of nsga2 'x'; there is crossover"),
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
        ("evolution", {"keep": "many"}, "the parameter keep of evolution is a whole number, not 'many'"),
        ("evolution", {"keep": "1.5"}, "the parameter keep of evolution is a whole number, not '1.5'"),
        ("evolution", {"crossover": "often"}, "the parameter crossover of evolution is a number, not 'often'"),
        ("q-learning", {"learning_rate": ""}, "the parameter learning_rate of q-learning is a number, not ''"),
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
        names = [field.name for field in fields(made_of)[1:] if not field.name.startswith("_")]
        typed = {name: str(getattr(usual, name)) for name in names}
        again = strategy(name, typed)(one if name != "grid" else replace(one, within=NARROW))
        assert [getattr(again, name) for name in names] == [getattr(usual, name) for name in names]
