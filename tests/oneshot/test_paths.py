from __future__ import annotations

import numpy as np
import pytest

from ohmnas.errors import UnknownNameError
from ohmnas.oneshot.paths import ROUND, Paths
from ohmnas.oneshot.rules import RULES

from .conftest import tiny

PLAN = tiny()


def paths(rule: str, seed: int = 0) -> Paths:
    return Paths(PLAN.space, PLAN.within, PLAN.max_params, PLAN.max_macs, rule, seed)


@pytest.mark.parametrize("rule", RULES)
def test_paths_are_within_the_supernet_and_depend_on_seed_and_step(rule: str) -> None:
    one, again, other = paths(rule), paths(rule), paths(rule, 1)
    steps = [0, 5, ROUND + 3]
    drawn = [one.of(step, 320) for step in steps]
    assert all(PLAN.contains(population).all() for population in drawn)
    assert all(len(population) == one.each for population in drawn)
    assert all(np.array_equal(again.of(step, 320), drawn[place]) for place, step in reversed([*enumerate(steps)]))
    assert not all(np.array_equal(other.of(step, 320), drawn[place]) for place, step in enumerate(steps))


@pytest.mark.parametrize("rule", RULES)
def test_a_round_that_is_begun_in_its_middle_is_the_same(rule: str) -> None:
    steps = 5 * ROUND
    whole = paths(rule)
    for step in range(ROUND, 2 * ROUND, 7):
        assert np.array_equal(whole.of(step, steps), paths(rule).of(step, steps))


def test_the_sandwich_has_a_large_and_a_small_path() -> None:
    one = paths("sandwich")
    sizes = np.array([PLAN.space.macs(one.of(step, 320)) for step in range(8)])
    large, small, random = sizes[:, 0], sizes[:, 1], sizes[:, 2:]
    assert large.min() > np.median(random)
    assert (small <= random.min()).all()


def test_large_paths_are_shrunk_first() -> None:
    one = paths("shrinking")
    floors = [one.smallest_params(progress) for progress in (0.0, 0.2, 0.4, 0.5)]
    assert floors == sorted(floors, reverse=True)
    assert floors[-1] == 0.0
    assert PLAN.space.params(one.of(0, 320))[0] >= floors[0] > 1_500


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown rule 'fair'"):
        paths("fair")
