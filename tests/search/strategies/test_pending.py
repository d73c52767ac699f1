from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmnas.search.strategies.pending import EvaluationRows
from tests.search.conftest import problem

one, _ = problem()
one = replace(one, pareto=("accuracy_1d", "params"))
POPULATION = one.sample(40, np.random.default_rng(0))
subsets = st.lists(st.integers(0, 39), unique=True, max_size=20)


@given(told=subsets, asked=subsets)
@settings(max_examples=50)
def test_candidates_find_their_row_and_the_other_rows_were_not_asked_for(told: list[int], asked: list[int]) -> None:
    evaluated = EvaluationRows(POPULATION[told], one.evaluate(POPULATION[told]))
    rows = evaluated.rows(POPULATION[asked])
    assert rows.tolist() == [told.index(place) if place in told else -1 for place in asked]
    unasked = evaluated.unasked(POPULATION[asked])
    assert unasked.tolist() == [row for row, place in enumerate(told) if place not in asked]


def test_rows_are_those_of_the_evaluation(rng: np.random.Generator) -> None:
    evaluated = EvaluationRows(POPULATION, one.evaluate(POPULATION))
    order = rng.permutation(40)
    found = evaluated.evaluation.take(evaluated.rows(POPULATION[order]))
    assert np.array_equal(found.objective, one.evaluate(POPULATION[order]).objective)
    assert np.array_equal(found.losses, one.evaluate(POPULATION[order]).losses)


def test_genomes_are_found_in_any_memory_layout() -> None:
    evaluated = EvaluationRows(np.asfortranarray(POPULATION), one.evaluate(POPULATION))
    assert evaluated.rows(POPULATION[::2].astype(np.int64).astype(np.int16)).tolist() == list(range(0, 40, 2))
    assert evaluated.rows(POPULATION[::-1][:3]).tolist() == [39, 38, 37]
