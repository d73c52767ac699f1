from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ohmnas.errors import InfeasibleError, InvalidValueError, UnknownNameError
from ohmnas.search import Limits, Problem
from ohmnas.search.subspace_names import CRITERIA
from ohmnas.search.subspaces import _part, compare_subspaces
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.mobile import MobileSpace
from ohmnas.testing.formula import SPACE, Formula

PROBLEM = Problem(SPACE, Formula(), Limits(max_params=3e5))


@pytest.mark.parametrize("criterion", CRITERIA)
def test_the_best_comes_first_and_few_are_asked(criterion: str) -> None:
    ranked, asked = compare_subspaces(PROBLEM, np.random.default_rng(0), criterion, candidates=30, networks=5)
    values = [getattr(one, criterion) for one in ranked]
    assert values == sorted(values, reverse=True)
    assert asked == (0 if criterion == "macs" else 5 * len(ranked))
    assert 1 < len(ranked) <= 30
    assert all(0 < one.share <= 1 for one in ranked)


def test_sub_spaces_lie_within_the_bounds_of_the_problem() -> None:
    within = Bounds.of(PROBLEM.space.genes, {"M": (1, 2), "R": (1, 3)})
    ranked, _ = compare_subspaces(replace(PROBLEM, within=within), np.random.default_rng(1), "macs", candidates=20)
    for one in ranked:
        population = one.bounds.from_unit_cube(np.random.default_rng(2).random((20, len(within.genes))))
        assert within.contain(population).all()


def test_without_limits_all_networks_meet_them() -> None:
    """In a small part, many drawn networks are equal, and all count."""
    within = Bounds.of(PROBLEM.space.genes, {"M": (1, 1), "OC0": (8, 8), "R": (1, 1), "B": (1, 1)})
    ranked, _ = compare_subspaces(
        Problem(SPACE, Formula(), Limits(), within=within), np.random.default_rng(0), "macs", candidates=3
    )
    assert ranked
    assert all(one.share == 1 for one in ranked)


def test_the_same_seed_chooses_the_same() -> None:
    first, second = (compare_subspaces(PROBLEM, np.random.default_rng(3), candidates=10) for _ in range(2))
    assert first == second


def test_limits_that_no_sub_space_meets_are_one_sentence() -> None:
    tight = replace(PROBLEM, limits=Limits(max_params=300))
    with pytest.raises(
        InfeasibleError, match=r"no sub-space \(of [1-5] compared\) has 10 different networks \(of 1,024 drawn\)"
    ):
        compare_subspaces(tight, np.random.default_rng(0), candidates=5)
    with pytest.raises(UnknownNameError, match="unknown criterion of sub-spaces 'speed'"):
        compare_subspaces(PROBLEM, np.random.default_rng(0), "speed")
    for candidates, networks in ((0, 1), (1, 0)):
        with pytest.raises(InvalidValueError, match="candidates and networks must be at least 1"):
            compare_subspaces(PROBLEM, np.random.default_rng(0), candidates=candidates, networks=networks)


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ([1, 2, 3, 4, 5], [(1, 5), (1, 3), (2, 4), (3, 5)]),
        ([1, 2], [(1, 2), (1, 1), (1, 1), (2, 2)]),
        ([7], [(7, 7)] * 4),
    ],
)
def test_parts_are_halves(values: list[int], parts: list[tuple[int, int]]) -> None:
    assert [_part(values, part) for part in range(4)] == parts


def test_bounds_are_named_by_family() -> None:
    space = MobileSpace((1, 8, 8), 10)
    assert set(space.subspace_genes) <= {*space.genes.names, *space.genes.families}
    bounds = Bounds.of(space.genes, {"RES": (6, 8), "W": (8, 40), "E": (0, 2)})
    ranked, _ = compare_subspaces(PROBLEM, np.random.default_rng(0), "macs", candidates=2)
    assert str(replace(ranked[0], bounds=bounds)) == "RES 6 to 8, E separable to 2, W 8 to 40"
    assert str(replace(ranked[0], bounds=space.everything)) == "the whole space"
