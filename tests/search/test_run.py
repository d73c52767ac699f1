from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ohmnas.errors import InfeasibleError
from ohmnas.search.evolution import Evolution
from ohmnas.search.problem import Limits, Problem
from ohmnas.search.run import PATIENCE, Budget, Generation, search

from .conftest import SPACE, problem

SHORT = Budget(population=40, iterations=10)


def test_the_same_seed_gives_the_same_result_and_another_another() -> None:
    results = [search(problem()[0], Evolution(problem()[0]), seed, SHORT).to_dict() for seed in (3, 3, 4)]
    for values in results:
        del values["seconds"]
    assert results[0] == results[1]
    assert results[0]["history"] != results[2]["history"]


_SCRIPT = """
import json, sys
from ohmnas.datasets.table import read_table
from ohmnas.search import Budget, Evolution, Limits, Problem, search
from ohmnas.surrogate import LearningSet, Surrogate
surrogate = Surrogate.learn(LearningSet.of(read_table("digits")), seed=1)
problem = Problem(surrogate.space_, surrogate, Limits(50_000, 2e6, 0.05, 1000))
values = search(problem, Evolution(problem), 5, Budget(population=40, iterations=10)).to_dict()
del values["seconds"]
print(json.dumps(values))
"""


def test_two_processes_with_one_seed_agree() -> None:
    outputs = {
        subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(outputs) == 1
    assert '"history"' in outputs.pop()


def test_an_infeasible_problem_ends_with_the_nearest_miss() -> None:
    one, formula = problem(avm_offset=5.0)
    generations: list[Generation] = []
    with pytest.raises(InfeasibleError, match=r"predicted AVM of at most 0\.02; the nearest has AVM 5\.\d+") as error:
        search(one, Evolution(one), 0, Budget(population=10, iterations=1000), generations.append)
    assert len(generations) == PATIENCE  # it gives up, it does not run to the end
    lowest = min(formula.forecast(population).avm.min() for population in list(formula.asked))
    assert f"{lowest:.4f}" in str(error.value)


def test_a_budget_without_any_architecture_ends_with_a_message() -> None:
    one, formula = problem()
    one = Problem(SPACE, formula, Limits(max_macs=10))
    with pytest.raises(InfeasibleError, match="found only 0"):
        search(one, Evolution(one), 0, SHORT)


def test_history_has_an_entry_for_each_generation_and_evaluations_grow() -> None:
    one, _ = problem()
    result = search(one, Evolution(one), 0, SHORT)
    assert [entry["iteration"] for entry in result.history] == list(range(11))
    evaluations = [entry["evaluations"] for entry in result.history]
    assert evaluations == sorted(evaluations)
    assert evaluations[-1] == result.evaluations
    assert all(0 <= entry["feasible_share"] <= 1 for entry in result.history)


def test_no_time_left_ends_with_the_best_so_far() -> None:
    one, _ = problem()
    result = search(one, Evolution(one), 0, Budget(iterations=10_000, seconds=0.0))
    assert len(result.history) == 1


def test_an_exhausted_neighbourhood_does_not_hang() -> None:
    """A budget that few architectures meet: generations run dry, the search still ends."""
    one, _ = problem(max_params=1100)
    result = search(one, Evolution(one), 0, Budget(iterations=60))
    assert result.best.params <= 1100


def test_references_meet_the_cost_limits_and_are_ordered_by_prediction() -> None:
    one, _ = problem(max_params=100_000)
    result = search(one, Evolution(one), 0, SHORT)
    assert [reference.name for reference in result.references]
    genomes = np.array([reference.genome for reference in result.references], dtype=np.int16)
    assert one.affordable(genomes).all()
    accuracies = [reference.predicted["accuracy_1d"] for reference in result.references]
    assert accuracies == sorted(accuracies, reverse=True)
    assert SPACE.params(genomes).tolist() == [reference.params for reference in result.references]
