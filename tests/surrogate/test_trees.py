"""Trees as arrays: any arrays that pass are trees."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.forest import Forest
from ohmnas.surrogate.trees import DEEPEST_TREE, LARGEST_PREDICTION, LEAF, Trees


def trees(sizes: list[int], splits: list[int], numbers: list[float], base: float = 0.0) -> Trees:
    return Trees(np.array(sizes, "i4"), np.array(splits, "i2"), np.array(numbers, "f4"), base)


def by_hand(ensemble: Trees, row: np.ndarray) -> float:
    """Walk the trees node by node."""
    total = np.float32(ensemble.base)
    for start, size in zip(ensemble.starts.tolist(), ensemble.sizes.tolist(), strict=True):
        splits, numbers = ensemble.splits[start : start + size], ensemble.numbers[start : start + size]
        node = 0
        while splits[node] != LEAF:
            first = 2 * int((splits[:node] != LEAF).sum()) + 1
            node = first + int(row[splits[node]] >= numbers[node])
        total += numbers[node]
    return float(total)


@st.composite
def ensembles(draw: st.DrawFn) -> Trees:
    """Random trees of up to five splits on three features."""
    sizes: list[int] = []
    splits: list[int] = []
    numbers: list[float] = []
    for _ in range(draw(st.integers(1, 4))):
        tree: list[int] = []
        wanted, open_ = draw(st.integers(0, 5)), 1
        while open_:
            left = wanted - sum(split != LEAF for split in tree)
            grows = left > 0 and (open_ == 1 or draw(st.booleans()))
            tree.append(draw(st.integers(0, 2)) if grows else LEAF)
            open_ += 1 if grows else -1
        sizes.append(len(tree))
        splits += tree
        numbers += [draw(st.integers(-8, 8)) / 4 for _ in tree]
    return trees(sizes, splits, numbers, draw(st.integers(-4, 4)) / 4)


@given(ensembles(), st.integers(0, 99))
def test_a_forest_goes_the_way_that_the_arrays_describe(ensemble: Trees, seed: int) -> None:
    rows = np.random.default_rng(seed).integers(-8, 9, size=(9, 3)).astype(np.float32) / np.float32(4)
    expected = [by_hand(ensemble, row) for row in rows]
    assert Forest.of([ensemble], 3).predict(rows)[:, 0].tolist() == pytest.approx(expected, abs=1e-6)


@given(
    st.lists(st.integers(-1, 9), max_size=4),
    st.lists(st.integers(-2, 3), max_size=12),
    st.integers(0, 12),
)
def test_whatever_passes_is_walked_to_its_end(sizes: list[int], splits: list[int], numbers: int) -> None:
    try:
        ensemble = trees(sizes, splits, [0.5] * numbers)
    except InvalidValueError:
        return
    rows = np.zeros((3, 4), dtype=np.float32)
    assert Forest.of([ensemble], 4).predict(rows).shape == (3, 1)
    assert by_hand(ensemble, rows[0]) == 0.5 * len(sizes)


@pytest.mark.parametrize(
    ("sizes", "splits", "numbers", "message"),
    [
        ([2], [0, -1], [0.0, 0.0], "one more leaf"),
        ([3], [-1, 0, -1], [0.0] * 3, "before its parent"),
        ([3], [0, 0, -1], [0.0] * 3, "one more leaf"),
        ([3, 1], [0, -1, -1], [0.0] * 3, "do not add up"),
        ([0, 1], [-1], [0.0], "do not add up"),
        ([1], [-1], [0.0, 0.0], "do not add up"),
        ([1], [-2], [0.0], "negative feature"),
        ([1], [-1], [float("nan")], "not finite"),
        ([1], [-1], [2 * LARGEST_PREDICTION], "predictions must be at most"),
    ],
)
def test_arrays_that_do_not_form_trees_are_refused(
    sizes: list[int], splits: list[int], numbers: list[float], message: str
) -> None:
    with pytest.raises(InvalidValueError, match=message):
        trees(sizes, splits, numbers)


def test_invalid_bases_of_trees_are_refused() -> None:
    for base in (float("nan"), float("inf"), 1e9):
        with pytest.raises(InvalidValueError, match="predictions must be at most"):
            trees([1], [-1], [0.0], base)


def test_endless_chains_are_refused() -> None:
    def chain(depth: int) -> Trees:
        return trees([2 * depth + 1], [0, *[0, -1] * (depth - 1), -1, -1], [0.0] * (2 * depth + 1))

    assert chain(DEEPEST_TREE).depth() == DEEPEST_TREE
    with pytest.raises(InvalidValueError, match="levels of splits"):
        chain(DEEPEST_TREE + 1)
