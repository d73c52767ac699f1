from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from ohmnas.errors import InfeasibleError, InvalidValueError, UnknownNameError
from ohmnas.search import pareto
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.search.report import STANDING
from ohmnas.search.result import SearchResult, read_result, write_result
from ohmnas.search.run import MAX_EMPTY_GENERATIONS, PATIENCE, PIECE, Budget, Generation, default_budget, search
from ohmnas.search.strategies import Aging, Evolution, Grid, Local, QLearning, Random, Rank, Reinforce
from ohmnas.search.strategy import Strategy
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.cells import CellSpace
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace

from .conftest import CHIP, FEW, SPACE, Formula, Sure, problem, some

SHORT = Budget(population=40, iterations=10)
FRONT = Problem(
    SPACE, Formula(), Limits(max_params=50_000, max_avm=0.03), pareto=("accuracy_1d", "avm", "energy"), chip=CHIP
)


def values(result: SearchResult) -> dict[str, Any]:
    """All of a result but its time."""
    said = result.to_dict()
    del said["seconds"]
    return said


def asked(formula: Formula, references: bool = True) -> Population:
    """All that a search asked about; the last question is about the references, if there are any."""
    return np.concatenate(formula.asked[: len(formula.asked) - references])


def keys(population: Population) -> list[bytes]:
    return [row.tobytes() for row in population.astype(np.int16)]


def column(result: SearchResult, name: str) -> list[float]:
    return [entry[name] for entry in result.history]


@dataclass
class Always:
    """Proposes the same, again and again."""

    problem: Problem
    population: Population = field(default_factory=lambda: some(5))
    allows_oversampling: ClassVar[bool] = False

    def ask(self, n: int, rng: np.random.Generator) -> Population:  # noqa: ARG002 - a Strategy
        return self.population[:n]

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        pass


# Seeds


@pytest.mark.parametrize("make", [Evolution, partial(Evolution, selection="tournament", crossover=0.5), Random])
def test_the_same_seed_gives_the_same_result_and_another_another(make: Callable[[Problem], Strategy]) -> None:
    results = [values(search(problem()[0], make, seed, SHORT, restarts=2, top=3)) for seed in (3, 3, 4)]
    assert results[0] == results[1]
    assert results[0]["history"] != results[2]["history"]


_SCRIPT = """
import json
from ohmnas.datasets.tables.table import read_table
from ohmnas.search import Budget, Evolution, Limits, Problem, search
from ohmnas.surrogate import TrainingSet, Surrogate
surrogate = Surrogate.learn(TrainingSet.of(read_table("digits")), seed=1).model_
limits = Limits(50_000, 2e6, 0.05, 1000, max_tiles=60, confidence=0.6)
front = ("accuracy_1d", "avm", "energy")
problem = Problem(surrogate.space, surrogate, limits, pareto=front, chip=surrogate.hardware)
values = search(problem, Evolution, 5, Budget(population=40, iterations=4), top=5, restarts=2).to_dict()
del values["seconds"]
print(json.dumps(values))
"""


@pytest.mark.slow
def test_two_processes_with_one_seed_agree_for_any_number_of_threads() -> None:
    running = []
    for threads in ("1", "2"):
        several = {f"{name}_NUM_THREADS": threads for name in ("OMP", "OPENBLAS", "MKL")}
        command = [sys.executable, "-c", _SCRIPT]
        running.append(subprocess.Popen(command, env={**os.environ, **several}, stdout=subprocess.PIPE, text=True))
    outputs = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert outputs[0] == outputs[1]
    found = json.loads(outputs[0])
    assert len(found["history"]) == 10
    assert len(found["top"]) == 5
    assert found["front"]


# Budgets and other ends


@pytest.mark.parametrize("evaluations", [1, 7, 40, 41, 100, 333])
@pytest.mark.parametrize("make", [Evolution, Random])
def test_a_budget_of_evaluations_is_used_up_and_never_exceeded(
    evaluations: int, make: Callable[[Problem], Strategy]
) -> None:
    formula = Formula()
    one = Problem(SPACE, formula, Limits(max_params=50_000))
    result = search(one, make, 0, Budget(40, evaluations=evaluations), restarts=3, initial=some(9, seed=5))
    assert result.evaluations == len(asked(formula)) == evaluations
    assert result.stopped == "evaluations"
    assert result.history[-1]["evaluations"] == evaluations


def test_patience_ends_a_search_that_finds_nothing_better() -> None:
    result = search(problem()[0], Evolution, 0, Budget(population=30, iterations=500, patience=4))
    assert result.stopped == "patience"
    objectives = column(result, "objective")
    assert len(set(objectives[-5:])) == 1
    assert objectives[-6] < objectives[-5]
    stays = [before == after for before, after in pairwise(objectives)]
    assert not any(all(stays[start : start + 4]) for start in range(len(stays) - 4))


def test_a_front_that_grows_is_something_better() -> None:
    short = search(FRONT, Evolution, 0, Budget(population=30, iterations=60, patience=3))
    steps = list(zip(column(short, "objective"), column(short, "hypervolume"), strict=True))
    stays = [before == after for before, after in pairwise(steps)]
    assert not any(all(stays[start : start + 3]) for start in range(len(stays) - 3))
    assert len({objective for objective, _ in steps[-4:]}) == 1


def test_no_time_left_ends_with_the_best_so_far() -> None:
    result = search(problem()[0], Evolution, 0, Budget(iterations=10_000, seconds=0.0), restarts=5)
    assert result.stopped == "seconds"
    assert len(result.history) == 1


@dataclass
class Slow(Formula):
    """Takes a second for each thousand architectures, on its own clock."""

    now: float = 0.0

    def estimate(self, population: Population) -> Any:
        self.now += len(population) / 1000
        return super().estimate(population)


@pytest.mark.parametrize("make", [Evolution, Random, Rank, Grid, Aging, Local, QLearning, Reinforce])
def test_time_that_is_up_within_a_generation_ends_it(make: Callable[[Problem], Strategy]) -> None:
    slow = Slow()
    one = Problem(SPACE, slow, Limits(), within=FEW if make is Grid else Bounds.of(SPACE.genes, {"M": (1, 4)}))
    population = 20 if make is Grid else 3 * PIECE
    piece = 100 if make is Grid else PIECE
    seconds = piece / 1000 / 2
    result = search(one, make, 0, Budget(population, 50, seconds=seconds, clock=lambda: slow.now))
    assert result.stopped == "seconds"
    assert 0 < result.evaluations <= piece
    assert not one.clock.is_up()


def test_after_the_deadline_a_strategy_no_longer_learns() -> None:
    slow, told = Slow(), list[int]()

    class Told(Random):
        def tell(self, population: Population, evaluation: Evaluation) -> None:  # noqa: ARG002 - of the protocol
            told.append(len(population))

    one = Problem(SPACE, slow, Limits())
    result = search(one, Told, 0, Budget(40, 50, seconds=0.1, clock=lambda: slow.now))
    assert result.stopped == "seconds"
    assert sum(told) < result.evaluations
    assert len(told) == len(result.history) - 1


def test_the_message_without_a_result_states_that_time_ran_out() -> None:
    slow = Slow(avm_offset=0.8)
    one = Problem(SPACE, slow, Limits(max_avm=0.02))
    with pytest.raises(InfeasibleError, match=r"the time limit was reached$"):
        search(one, Random, 0, Budget(50, 50, seconds=0.01, clock=lambda: slow.now))


def test_pieces_of_a_large_generation_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = values(search(problem()[0], Evolution, 0, SHORT, initial=some(90, seed=5)))
    monkeypatch.setattr("ohmnas.search.run.PIECE", 7)
    assert values(search(problem()[0], Evolution, 0, SHORT, initial=some(90, seed=5))) == whole


@pytest.mark.parametrize(
    "wrong",
    [
        {"population": 0},
        {"population": 10**9},
        {"population": 2.5},
        {"population": True},
        {"iterations": -1},
        {"iterations": float("inf")},
        {"seconds": -1.0},
        {"seconds": float("nan")},
        {"evaluations": -1},
        {"patience": -1},
    ],
    ids=str,
)
def test_invalid_budgets_are_one_sentence(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    valid = r"must be a (whole )?number(, 0 or more| from 1 to 100,000)"
    with pytest.raises(InvalidValueError, match=f"^{name} {valid}, not"):
        Budget(**wrong)


def test_numpys_numbers_are_numbers(tmp_path: Path) -> None:
    number: Any = np.int64
    limits = Limits(number(50_000), number(2_000_000), min_params=number(1000), soft={"macs": number(1_000_000)})
    within = Bounds.of(SPACE.genes, {"M": (number(1), number(3))})
    one = Problem(SPACE, Formula(), limits, within=within)
    same = Problem(
        SPACE,
        Formula(),
        Limits(50_000, 2_000_000, min_params=1000, soft={"macs": 1_000_000}),
        within=Bounds.of(SPACE.genes, {"M": (1, 3)}),
    )
    budget = Budget(number(20), number(3), number(9e9), number(200), number(9))
    result = search(one, Evolution, number(3), budget, restarts=number(2), top=number(2), initial=some(5))
    plain = search(same, Evolution, 3, Budget(20, 3, 9e9, 200, 9), restarts=2, top=2, initial=some(5))
    assert values(result) == values(plain)
    write_result(tmp_path / "result.json", result)
    assert values(read_result(tmp_path / "result.json")) == values(plain)


@pytest.mark.parametrize("seed", [-1, 1.5, "3", None, True])
def test_invalid_seeds_are_one_sentence(seed: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"^the seed must be a whole number, 0 or more"):
        search(problem()[0], Evolution, seed, SHORT)


@pytest.mark.parametrize("given", [None, some(50)])
def test_a_grid_ends_when_every_architecture_was_evaluated_once(given: Population | None) -> None:
    formula = Formula()
    one = Problem(SPACE, formula, Limits(max_params=4000), within=FEW)
    result = search(one, Grid, 0, Budget(population=30, iterations=1000), initial=given)
    everything = FEW.nth(np.arange(FEW.size, dtype=np.int64))
    affordable = everything[one.affordable(everything)]
    assert 0 < len(affordable) < len(everything)
    assert result.stopped == "nothing new"
    assert sorted(keys(asked(formula, bool(result.references)))) == sorted(keys(affordable))
    assert result.evaluations == len(affordable)
    assert column(result, "objective")[-1] == one.evaluate(affordable).objective.max()


def test_given_architectures_crowd_out_nothing_that_a_grid_proposes() -> None:
    formula = Formula()
    everything = FEW.nth(np.arange(FEW.size, dtype=np.int64))
    one = Problem(SPACE, formula, Limits(), within=FEW)
    result = search(one, Grid, 0, Budget(population=20, iterations=1000), initial=everything[:60])
    assert sorted(keys(asked(formula))) == sorted(keys(everything))
    assert result.evaluations == FEW.size


def test_a_strategy_that_proposes_only_what_is_known_ends() -> None:
    generations: list[Generation] = []
    one = Problem(SPACE, Formula(), Limits())
    result = search(one, Always, 0, Budget(population=5, iterations=1000), generations.append)
    assert result.stopped == "nothing new"
    assert result.evaluations == 5
    assert len(generations) == 1 + MAX_EMPTY_GENERATIONS
    assert all(len(one.born) == 0 for one in generations[1:])


def test_an_exhausted_neighbourhood_does_not_hang() -> None:
    """A budget that few architectures meet: generations run dry, the search still ends."""
    result = search(problem(max_params=1100)[0], Evolution, 0, Budget(iterations=60))
    assert result.best.params <= 1100


def test_an_infeasible_problem_ends_with_the_nearest_miss() -> None:
    one, formula = problem(avm_offset=0.8)
    generations: list[Generation] = []
    expected = r"predicted AVM of at most 0\.02; the nearest has [\d,]+ parameters and a predicted AVM of 0\.8\d+: "
    with pytest.raises(InfeasibleError, match=expected) as error:
        search(one, Evolution, 0, Budget(population=10, iterations=1000), generations.append)
    assert len(generations) == PATIENCE  # it gives up, it does not run to the end
    assert all(np.isnan(generation.best_objective) for generation in generations)
    *evaluated, _ = formula.asked  # the reference networks come last
    lowest = min(formula.estimate(population)["avm"].min() for population in evaluated)
    assert f"{lowest:.4f}" in str(error.value)
    assert f"none of {sum(map(len, evaluated)):,} architectures" in str(error.value)


def test_the_message_of_an_infeasible_problem_has_all_limits_on_predictions() -> None:
    limits = Limits(max_params=50_000, max_avm=-1.0, max_std=0.001, min_accuracy=0.99, confidence=0.9)
    expected = (
        "a predicted AVM of at most -1 and a predicted std of at most 0.001 and a predicted 1-day accuracy "
        "\\(min_accuracy\\) of at least 0.99 with a probability of 0.9; the nearest"
    )
    with pytest.raises(InfeasibleError, match=expected):
        search(Problem(SPACE, Sure(), limits), Evolution, 0, Budget(population=10, iterations=2))


def test_limits_on_costs_that_nothing_meets_end_with_a_message() -> None:
    one = Problem(SPACE, Formula(), Limits(max_macs=10))
    with pytest.raises(InfeasibleError, match="found only 0"):
        search(one, Evolution, 0, SHORT)
    with pytest.raises(InfeasibleError, match="the strategy found no architecture within the cost limits"):
        search(one, Always, 0, SHORT)


# History


def test_history_has_an_entry_for_each_generation_and_evaluations_grow() -> None:
    result = search(problem()[0], Evolution, 0, SHORT)
    assert column(result, "iteration") == list(range(11))
    evaluations = column(result, "evaluations")
    assert evaluations == sorted(evaluations)
    assert evaluations[-1] == result.evaluations
    assert all(0 <= share <= 1 for share in column(result, "feasible_share"))
    assert result.stopped == "iterations"


def test_progress_reports_contain_new_feasible_offspring() -> None:
    one, _ = problem()
    generations: list[Generation] = []
    result = search(one, Evolution, 0, SHORT, generations.append)
    born = np.concatenate([generation.born for generation in generations])
    assert len(set(keys(born))) == len(born)
    assert one.affordable(born).all()
    assert one.evaluate(born).feasible.all()
    assert [generation.iteration for generation in generations] == list(range(11))
    assert [generation.best_objective for generation in generations] == column(result, "objective")


def test_restarts_continue_one_history() -> None:
    formula = Formula()
    one = Problem(SPACE, formula, Limits(max_params=50_000, max_avm=0.02))
    result = search(one, Evolution, 0, Budget(population=20, iterations=5), restarts=3)
    assert [entry.get("restart", 0) for entry in result.history] == [0] * 6 + [1] * 6 + [2] * 6
    assert column(result, "iteration") == list(range(18))
    objectives, evaluations = column(result, "objective"), column(result, "evaluations")
    assert objectives == sorted(objectives)
    assert all(before < after for before, after in pairwise(evaluations))
    assert evaluations[-1] == result.evaluations == len(asked(formula))
    alone = search(one, Evolution, 0, Budget(population=20, iterations=5))
    assert alone.history == result.history[:6]


def test_iterations_count_on_where_the_first_ones_found_nothing() -> None:
    """Generations without anything feasible have no entry; those of a restart come after all others."""
    one = Problem(SPACE, Formula(), Limits(max_params=50_000, max_avm=0.0085))
    result = search(one, Evolution, 0, Budget(population=5, iterations=15), restarts=3)
    iterations = column(result, "iteration")
    assert iterations[0] > 0
    assert all(before < after for before, after in pairwise(iterations))


def test_restarts_that_find_the_same_remember_it_once() -> None:
    one = Problem(SPACE, Formula(), Limits(), within=FEW)
    result = search(one, Grid, 0, Budget(population=50), restarts=3, top=200)
    assert result.evaluations == 3 * FEW.size
    assert len(result.top) == len({candidate.genome for candidate in result.top}) == FEW.size
    assert len(set(keys(result.population))) == len(result.population) == min(STANDING, FEW.size)


# What is known before


def test_given_architectures_are_evaluated_first() -> None:
    one, formula = problem()
    given = one.sample(90, np.random.default_rng(9))
    born: list[Generation] = []
    search(one, Evolution, 0, Budget(population=20, iterations=2), born.append, initial=given)
    assert keys(formula.asked[0])[:90] == keys(given)
    assert len(formula.asked[0]) >= 90 + 20  # beside what the strategy begins with
    feasible = given[one.evaluate(given).feasible]
    assert set(keys(feasible)) <= set(keys(born[0].born))


def test_given_architectures_meet_the_limits_or_are_left_out() -> None:
    one, formula = problem(max_params=5000)
    search(one, Evolution, 0, SHORT, initial=some(60, seed=9))
    assert one.affordable(asked(formula)).all()


def test_a_strategy_breeds_from_what_is_given() -> None:
    """The best that a long search found is kept by a short one."""
    best = search(problem()[0], Evolution, 0, Budget(population=60, iterations=40)).best
    given = np.array([best.genome], dtype=np.int16)
    short = search(problem()[0], Evolution, 1, Budget(population=10, iterations=1), initial=given)
    assert short.history[0]["objective"] == best.predicted["accuracy_1d"] / best.predicted["accuracy_1d_std"]


@pytest.mark.parametrize("make", [Evolution, Grid])
def test_excluded_architectures_are_never_evaluated(make: Callable[[Problem], Strategy]) -> None:
    formula = Formula()
    one = Problem(SPACE, formula, Limits(), within=FEW)
    excluded = FEW.nth(np.arange(0, FEW.size, 2, dtype=np.int64))
    result = search(
        one, make, 0, Budget(population=20, iterations=30), initial=excluded[:5], exclude=excluded, restarts=2
    )
    assert not set(keys(asked(formula))) & set(keys(excluded))
    assert list(result.best.genome) not in excluded.tolist()


def test_a_search_that_excludes_everything_finds_nothing() -> None:
    one = Problem(SPACE, Formula(), Limits(), within=FEW)
    with pytest.raises(InfeasibleError, match="found no architecture"):
        search(one, Grid, 0, SHORT, exclude=FEW.nth(np.arange(FEW.size, dtype=np.int64)))


@pytest.mark.parametrize("one", [problem()[0], FRONT], ids=["best", "front"])
def test_a_resumed_search_continues_where_the_last_one_ended(one: Problem, tmp_path: Path) -> None:
    first = search(one, Evolution, 0, Budget(population=30, iterations=6))
    write_result(tmp_path / "result.json", first)
    result = search(
        one, Evolution, 0, Budget(population=20, iterations=4), resume=read_result(tmp_path / "result.json"), top=3
    )
    assert result.history[:7] == first.history
    assert column(result, "iteration") == list(range(12))
    evaluations = column(result, "evaluations")
    assert all(before < after for before, after in pairwise(evaluations))
    assert evaluations[-1] == result.evaluations
    assert result.seconds >= first.seconds
    for name in ("objective", *(["hypervolume"] if one.pareto else [])):
        assert all(before <= after + 1e-12 for before, after in pairwise(column(result, name)))
    write_result(tmp_path / "result.json", result)
    assert read_result(tmp_path / "result.json") == result
    assert first.history == result.history[:7]  # what is resumed is not written to


def test_a_resumed_search_does_not_depend_on_the_initial_networks() -> None:
    one, _ = problem()
    first = search(one, Evolution, 0, Budget(population=30, iterations=6))
    result = search(one, Evolution, 0, Budget(population=5, evaluations=6), resume=first, initial=some(100, seed=3))
    assert column(result, "objective")[-1] >= first.history[-1]["objective"]
    assert result.evaluations == first.evaluations + 6


def test_a_result_of_another_space_and_no_restart_are_refused() -> None:
    one, _ = problem()
    first = search(one, Evolution, 0, SHORT)
    for space in (CellSpace((1, 8, 8), 10), ResNetSpace((3, 8, 8), 10)):
        other = Problem(space, Formula(), Limits())
        with pytest.raises(InvalidValueError, match="the result to resume is for"):
            search(other, Evolution, 0, SHORT, resume=first)
    with pytest.raises(InvalidValueError, match="restarts must be a whole number"):
        search(one, Evolution, 0, SHORT, restarts=0)
    without = replace(first, population=np.empty((0, 0), dtype=np.int16))
    assert search(one, Evolution, 0, SHORT, resume=without).evaluations > first.evaluations


def test_a_resumed_search_does_not_repeat_the_first() -> None:
    """The same seed, but other draws: otherwise it would propose what is known."""
    one, formula = problem()
    first = search(one, Random, 0, Budget(population=30, iterations=2))
    before = asked(formula)
    formula.asked.clear()
    search(one, Random, 0, Budget(population=30, iterations=2), resume=first)
    again = set(keys(asked(formula))) & set(keys(before))
    assert len(again) < len(before) / 2 + STANDING


# Interruption


def interrupt_at(iteration: int) -> Callable[[Generation], None]:
    def report(generation: Generation) -> None:
        if generation.iteration == iteration:
            raise KeyboardInterrupt

    return report


def test_an_interrupted_search_returns_the_best_so_far(tmp_path: Path) -> None:
    whole = search(problem()[0], Evolution, 0, SHORT)
    result = search(problem()[0], Evolution, 0, SHORT, interrupt_at(3), restarts=4, top=2)
    assert result.stopped == "interrupted"
    assert result.history == whole.history[:4]
    assert result.evaluations == whole.history[3]["evaluations"]
    best = problem()[0].evaluate(np.array([result.best.genome], dtype=np.int16))
    assert best.objective[0] == whole.history[3]["objective"]
    write_result(tmp_path / "result.json", result)
    assert read_result(tmp_path / "result.json") == result


def test_an_interrupted_search_without_anything_feasible_stays_interrupted() -> None:
    with pytest.raises(KeyboardInterrupt):
        search(problem(avm_offset=0.8)[0], Evolution, 0, SHORT, interrupt_at(3))


# What is found


def test_the_best_is_the_best_of_all_evaluated_architectures() -> None:
    one, formula = problem()
    result = search(one, Evolution, 1, Budget(iterations=30))
    everything = asked(formula)
    assert len(set(keys(everything))) == len(everything) == result.evaluations  # none is asked twice
    evaluation = one.evaluate(everything)
    best = evaluation.objective[evaluation.feasible].max()
    assert result.history[-1]["objective"] == best
    assert one.evaluate(np.array([result.best.genome], dtype=np.int16)).objective[0] == best
    best_one = SPACE.architecture(result.best.architecture.to_dict())
    assert SPACE.encode([best_one])[0].tolist() == list(result.best.genome)


def test_the_top_is_the_best_and_others_best_first() -> None:
    one, _ = problem()
    result = search(one, Evolution, 0, SHORT, top=6)
    assert result.top[0] == result.best
    genomes = np.array([candidate.genome for candidate in result.top], dtype=np.int16)
    assert len(np.unique(genomes, axis=0)) == 6
    evaluation = one.evaluate(genomes)
    assert evaluation.feasible.all()
    assert evaluation.objective.tolist() == sorted(evaluation.objective, reverse=True)
    assert search(one, Evolution, 0, SHORT).top == []


def test_the_population_of_a_result_is_the_best_that_were_evaluated() -> None:
    one, formula = problem()
    result = search(one, Evolution, 0, SHORT)
    everything = asked(formula)
    evaluation = one.evaluate(everything)
    best = np.sort(evaluation.objective[evaluation.feasible])[::-1][:STANDING]
    np.testing.assert_array_equal(one.evaluate(result.population).objective, best)
    assert result.population[0].tolist() == list(result.best.genome)


def test_no_member_of_a_front_beats_another_and_each_is_feasible() -> None:
    result = search(FRONT, Evolution, 0, SHORT)
    genomes = np.array([candidate.genome for candidate in result.front], dtype=np.int16)
    evaluation = FRONT.evaluate(genomes)
    assert len(pareto.front(evaluation.losses)) == len(genomes) > 3
    assert evaluation.feasible.all()
    assert FRONT.affordable(genomes).all()
    assert evaluation.losses[:, 0].tolist() == sorted(evaluation.losses[:, 0])
    volumes = column(result, "hypervolume")
    assert volumes == sorted(volumes)
    assert volumes[-1] == pytest.approx(pareto.hypervolume(evaluation.losses))
    assert volumes[-1] > volumes[0]


def test_the_front_is_that_of_all_evaluated_architectures() -> None:
    formula = Formula()
    one = Problem(SPACE, formula, Limits(max_params=50_000, max_macs=2e6, max_avm=0.05), pareto=("avm", "macs"))
    one.scale("avm"), one.scale("macs")
    result = search(one, Evolution, 0, SHORT)
    everything = asked(formula)
    evaluation = one.evaluate(everything)
    losses = evaluation.losses[evaluation.feasible]
    found = one.evaluate(np.array([candidate.genome for candidate in result.front], dtype=np.int16)).losses
    np.testing.assert_array_equal(found, np.unique(losses[pareto.front(losses)], axis=0))


@pytest.mark.parametrize("top", [1, 4])
def test_with_a_front_the_best_of_it_is_found(top: int) -> None:
    """The one with the best ratio of all has a rival here that is nowhere worse in these quantities."""
    one = Problem(SPACE, Formula(), Limits(max_params=50_000), pareto=("params", "macs"), chip=CHIP)
    result = search(one, Evolution, 0, SHORT, top=top)
    genomes = [candidate.genome for candidate in result.front]
    assert result.best.genome in genomes
    assert all(candidate.genome in genomes for candidate in result.top)
    objectives = one.evaluate(np.array(genomes, dtype=np.int16)).objective
    assert objectives[genomes.index(result.best.genome)] == objectives.max() < result.history[-1]["objective"]
    if top > 1:
        assert result.top[0] == result.best


def test_without_a_front_there_is_none() -> None:
    result = search(problem()[0], Evolution, 0, SHORT)
    assert result.front == []
    assert result.pareto == ()
    assert not any("hypervolume" in entry for entry in result.history)


def test_references_meet_the_cost_limits_and_are_ordered_by_prediction() -> None:
    one, _ = problem(max_params=100_000)
    result = search(one, Evolution, 0, SHORT)
    assert [reference.name for reference in result.references]
    genomes = np.array([reference.genome for reference in result.references], dtype=np.int16)
    assert one.affordable(genomes).all()
    accuracies = [reference.predicted["accuracy_1d"] for reference in result.references]
    assert accuracies == sorted(accuracies, reverse=True)
    assert SPACE.params(genomes).tolist() == [reference.params for reference in result.references]


def test_a_strategy_is_found_by_its_name() -> None:
    by_name = search(problem()[0], "aging", 3, SHORT)
    assert by_name.strategy == "aging"
    assert values(by_name) == values(search(problem()[0], Aging, 3, SHORT))
    assert search(problem()[0], partial(QLearning, replay=9), 3, SHORT).strategy == "q-learning"
    assert search(problem()[0], type("Mine", (Aging,), {}), 3, SHORT).strategy == "Mine"
    with pytest.raises(UnknownNameError, match=r"unknown strategy 'agin': choose evolution, .*; did you mean aging\?"):
        search(problem()[0], "agin", 3)


def test_strategies_that_look_once_look_at_many() -> None:
    assert default_budget("rank").population > default_budget("evolution").population == Budget().population


class Measured(Formula):
    """A formula fitted to networks of some sizes."""

    @property
    def provenance(self) -> dict[str, Any]:
        return {"seen": {"min_params": 1_000, "max_params": 2_000, "max_macs": 2e6}}


def test_a_found_network_beyond_the_measured_sizes_is_warned_of() -> None:
    budget = Budget(20, 1)
    with pytest.warns(UserWarning, match="parameters, but the measured networks have 1,000 to 2,000"):
        search(Problem(SPACE, Measured(), Limits(50_000, 2e6, min_params=10_000)), Evolution, 0, budget)
    search(Problem(SPACE, Measured(), Limits(2_000, 2e6, min_params=1_000)), Evolution, 0, budget)
