from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.search import pareto
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.selection import CHOICES, Rows, best_first, by_fitness, by_tournament, evenly

from .conftest import judged


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluation:
    """With ties, with and without a front, from all to none feasible."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 30))
    shortfall = rng.integers(0, 4, n) * (rng.random(n) < draw(st.sampled_from([0.0, 0.5, 1.0])))
    losses = rng.integers(0, 6, (n, draw(st.sampled_from([0, 2, 3])))) / 6
    return judged(rng.integers(0, 9, n), shortfall, losses)


@given(evaluations(), st.integers(1, 30))
def test_feasible_ones_alone_survive_and_as_many_as_there_is_room(evaluation: Evaluation, most: int) -> None:
    rows = best_first(evaluation, most)
    feasible = evaluation.feasible
    assert len(set(rows.tolist())) == len(rows) == min(most, feasible.sum() or len(evaluation))
    if feasible.any():
        assert feasible[rows].all()
    else:
        assert evaluation.shortfall[rows].tolist() == sorted(evaluation.shortfall)[:most]


@given(evaluations(), st.integers(1, 30))
def test_no_survivor_is_worse_than_who_does_not_survive(evaluation: Evaluation, most: int) -> None:
    feasible = np.flatnonzero(evaluation.feasible)
    if not len(feasible):
        return
    rows = best_first(evaluation, most)
    if not evaluation.losses.shape[1]:
        assert evaluation.objective[rows].tolist() == sorted(evaluation.objective[feasible], reverse=True)[:most]
        return
    rank = dict(zip(feasible.tolist(), pareto.ranks(evaluation.losses[feasible]).tolist(), strict=True))
    assert [rank[row] for row in rows.tolist()] == sorted(rank.values())[:most]
    for level in set(rank.values()):  # within a front, who stands apart comes first
        front = np.array([row for row in rank if rank[row] == level])
        apart = dict(zip(front.tolist(), pareto.crowding(evaluation.losses[front]).tolist(), strict=True))
        chosen = [apart[row] for row in rows.tolist() if row in apart]
        assert chosen == sorted(apart.values(), reverse=True)[: len(chosen)]


@given(evaluations(), st.integers(0, 20), st.integers(1, 9))
def test_parents_are_rows_and_follow_from_the_seed(evaluation: Evaluation, n: int, size: int) -> None:
    standing = evaluation.take(best_first(evaluation, len(evaluation)))
    for choose in CHOICES.values():
        rows, same = (choose(standing, n, np.random.default_rng(3), size) for _ in range(2))
        assert rows.tolist() == same.tolist()
        assert len(rows) == n
        assert all(0 <= row < len(standing) for row in rows.tolist())


def shares(rows: Rows, n: int) -> list[float]:
    return list(np.bincount(rows, minlength=n) / len(rows))


def test_a_tournament_of_one_and_an_even_choice_are_the_same(rng: np.random.Generator) -> None:
    standing = judged([4.0, 3.0, 2.0, 1.0])
    for rows in (evenly(standing, 20_000, rng, 5), by_tournament(standing, 20_000, rng, 1)):
        assert shares(rows, 4) == pytest.approx([0.25] * 4, abs=0.02)


def test_a_tournament_is_won_by_the_best_of_those_drawn(rng: np.random.Generator) -> None:
    """Of four, the i-th best wins one of size s with probability ((5 - i)^s - (4 - i)^s) / 4^s."""
    rows = by_tournament(judged([4.0, 3.0, 2.0, 1.0]), 20_000, rng, 2)
    assert shares(rows, 4) == pytest.approx([7 / 16, 5 / 16, 3 / 16, 1 / 16], abs=0.02)


def test_the_roulette_wheel_is_in_proportion_to_the_objective_above_the_worst(rng: np.random.Generator) -> None:
    rows = by_fitness(judged([13.0, 11.0, 10.0]), 20_000, rng, 5)
    weights = np.array([3.0, 1.0, 0.0]) + 0.1 * 4 / 3
    assert shares(rows, 3) == pytest.approx((weights / weights.sum()).tolist(), abs=0.02)
    assert shares(by_fitness(judged([2.0, 2.0]), 20_000, rng, 5), 2) == pytest.approx([0.5, 0.5], abs=0.02)
    assert by_fitness(judged([7.0]), 3, rng, 5).tolist() == [0, 0, 0]
