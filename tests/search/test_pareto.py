"""Fronts, ranks and hypervolumes, each against what takes long and is plain to see."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ohmnas.search import pareto
from ohmnas.search.pareto import Values

SIDES = st.sampled_from([-0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25]) | st.floats(-0.5, 1.5, width=32)
"""Losses: ties, such as are below 0 and beyond 1."""


@st.composite
def several_losses(draw: st.DrawFn, least: int = 0, most: int = 9, columns: int = 4) -> Values:
    """``(n, k)`` with repeated rows."""
    shape = draw(st.tuples(st.integers(least, most), st.integers(2, columns)))
    losses = draw(hnp.arrays(np.float64, shape, elements=SIDES))
    if len(losses):
        losses = losses[draw(st.lists(st.integers(0, len(losses) - 1), min_size=len(losses), max_size=most))]
    result: Values = losses
    return result


def beats(one: Values, other: Values) -> bool:
    return bool((one <= other).all() and (one < other).any())


def plain_front(losses: Values, rows: list[int]) -> list[int]:
    def stays(row: int) -> bool:
        beaten = any(beats(losses[other], losses[row]) for other in rows)
        return not beaten and not any((losses[other] == losses[row]).all() for other in rows if other < row)

    return [row for row in rows if stays(row)]


def plain_ranks(losses: Values) -> list[int]:
    rank, left, level = [-1] * len(losses), list(range(len(losses))), 0
    while left:
        for row in plain_front(losses, left):
            rank[row] = level
        left, level = [row for row in left if rank[row] < 0], level + 1
    return rank


def plain_hypervolume(losses: Values, end: float) -> float:
    """All cells of the grid that the losses make, each either dominated or not."""
    inside = np.maximum(losses, 0.0)
    edges = [sorted({*(value for value in column if value < end), 0.0, end}) for column in inside.T]
    volume = 0.0
    for cell in product(*(pairwise(several) for several in edges)):
        low, high = np.array(cell).T
        if np.any(np.all(inside <= low, axis=1)):
            volume += float(np.prod(high - low))
    return volume


@given(several_losses(most=14))
def test_the_front_is_who_is_beaten_by_nobody_and_of_equals_the_first(losses: Values) -> None:
    assert pareto.front(losses).tolist() == plain_front(losses, list(range(len(losses))))


def test_the_front_of_more_than_is_compared_at_once(rng: np.random.Generator) -> None:
    for several in (2, 3, 4):
        losses = rng.integers(0, 12, (1300, several)) / 12
        assert pareto.front(losses).tolist() == plain_front(losses, pareto.front(losses).tolist())
        front = losses[pareto.front(losses)]
        for row in losses:  # whoever is not on the front is beaten by or equal to one who is
            assert np.any(np.all(front <= row, axis=1))


@given(several_losses(most=12), st.integers(1, 12))
def test_ranks_peel_one_front_after_the_other(losses: Values, enough: int) -> None:
    rank = np.array(plain_ranks(losses), dtype=np.intp)
    np.testing.assert_array_equal(pareto.ranks(losses), rank)
    cut = next((level for level in range(len(losses)) if (rank < level).sum() >= enough), len(losses))
    np.testing.assert_array_equal(pareto.ranks(losses, enough), np.minimum(rank, cut))


@given(several_losses(least=1))
def test_crowding_is_the_gap_between_neighbours_over_the_span(losses: Values) -> None:
    expected = np.zeros(len(losses))
    for column in losses.T:
        order = sorted(range(len(losses)), key=lambda row: column[row])
        expected[[order[0], order[-1]]] = np.inf
        span = column[order[-1]] - column[order[0]]
        for before, row, behind in zip(order, order[1:], order[2:], strict=False):
            if span > 0:
                expected[row] += (column[behind] - column[before]) / span
    np.testing.assert_allclose(pareto.crowding(losses), expected, rtol=1e-12)


@given(several_losses(most=7, columns=pareto.EXACT), st.sampled_from([1.0, 0.6, 1.25]))
def test_the_hypervolume_is_the_sum_of_all_dominated_cells(losses: Values, end: float) -> None:
    assert pareto.hypervolume(losses, end) == pytest.approx(plain_hypervolume(losses, end), abs=1e-12)


@given(several_losses(least=1))
def test_the_hypervolume_is_that_of_the_front_in_any_order_and_grows_with_each_row(losses: Values) -> None:
    volume = pareto.hypervolume(losses)
    assert 0.0 <= volume <= 1.0 + 1e-12
    assert pareto.hypervolume(losses[pareto.front(losses)]) == pytest.approx(volume, abs=1e-12)
    assert pareto.hypervolume(np.concatenate([losses, losses])[::-1]) == pytest.approx(volume, abs=1e-12)
    grown = [pareto.hypervolume(losses[:n]) for n in range(len(losses) + 1)]
    assert grown[0] == 0.0
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(grown))
    assert pareto.hypervolume(losses - 0.1) >= volume - 1e-12


@pytest.mark.parametrize("several", [4, 5])
def test_the_hypervolume_of_many_losses_is_a_good_estimate(several: int, rng: np.random.Generator) -> None:
    losses = 0.6 * rng.random((6, several))
    for end in (1.0, 0.9):
        estimate = pareto.hypervolume(losses, end)
        assert estimate == pytest.approx(plain_hypervolume(losses, end), abs=0.02 * end**several + 0.005)
    assert pareto.hypervolume(losses[:3]) <= pareto.hypervolume(losses)


def test_hypervolumes_that_are_known() -> None:
    assert pareto.hypervolume(np.array([[0.0, 0.0, 0.0]])) == 1.0
    assert pareto.hypervolume(np.array([[-3.0, 0.5]])) == 0.5
    assert pareto.hypervolume(np.array([[1.0, 0.0], [0.5, 1.2]])) == 0.0
    assert pareto.hypervolume(np.array([[0.5, 0.5, 0.5, 0.5]])) == 0.0625
    assert pareto.hypervolume(np.array([[0.2], [0.4]])) == pytest.approx(0.8)
    steps = np.column_stack([np.arange(10), np.arange(10)[::-1]]) / 10
    assert pareto.hypervolume(steps) == pytest.approx(0.55)


@given(several_losses(most=40), st.integers(0, 20))
def test_a_thinned_front_has_as_many_as_were_asked_and_keeps_its_ends(losses: Values, most: int) -> None:
    front = losses[pareto.front(losses)]
    rows = pareto.thinned(front, most)
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert len(rows) == min(most, len(front))
    if len(front) and most >= 2 * front.shape[1]:
        np.testing.assert_array_equal(front[rows].min(axis=0), front.min(axis=0))
        np.testing.assert_array_equal(front[rows].max(axis=0), front.max(axis=0))


def test_thinning_drops_the_most_crowded() -> None:
    first = np.array([0.0, 0.5, 0.51, 0.52, 1.0])
    assert pareto.thinned(np.column_stack([first, 1 - first]), 4).tolist() == [0, 1, 3, 4]
