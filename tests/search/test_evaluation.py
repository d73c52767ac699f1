from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.search.evaluation import Evaluation

from .conftest import judged, predicted


def test_feasible_ones_come_first_then_the_nearest_misses() -> None:
    one = judged([1.0, 3, 2, 9, 8], [0.0, 0, 0, 0.2, 0.1])
    assert one.order().tolist() == [1, 2, 0, 4, 3]
    assert one.feasible.tolist() == [True, True, True, False, False]
    assert one.take(one.order()[:2]).join(one).objective.tolist() == [3, 2, 1, 3, 2, 9, 8]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=12))
def test_no_row_precedes_a_better_one(pairs: list[tuple[int, int]]) -> None:
    shortfall, objective = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    order = judged(objective, shortfall).order().tolist()
    assert sorted(order) == list(range(len(pairs)))
    assert order == sorted(range(len(pairs)), key=lambda row: (shortfall[row], -objective[row]))


def test_parts_put_together_are_the_whole(rng: np.random.Generator) -> None:
    objective, shortfall, accuracy, std, avm = rng.random((5, 9))
    whole = Evaluation(objective, shortfall, predicted(accuracy, std, avm), rng.random((9, 3)))
    parts = [whole.take(np.arange(start, start + 3)) for start in (0, 3, 6)]
    again = parts[0].join(*parts[1:])
    assert len(again) == len(whole) == 9
    for name in ("objective", "shortfall", "losses"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))
    assert again.estimate.targets == whole.estimate.targets
    np.testing.assert_array_equal(again.estimate.values, whole.estimate.values)
    assert again.take(np.array([4, 4])).losses.tolist() == [whole.losses[4].tolist()] * 2


def test_without_a_front_there_are_no_losses() -> None:
    one = judged([1.0, 2.0]).join(judged([3.0]))
    assert one.losses.shape == (3, 0)
    assert one.take(np.array([2])).losses.shape == (1, 0)


def test_the_losses_or_the_negated_objective_are_minimised() -> None:
    objective, losses = np.array([3.0, 1.0]), np.array([[0.1, 0.2], [0.3, 0.4]])
    assert judged(objective, losses=losses).minimised.tolist() == losses.tolist()
    assert judged(objective).minimised.tolist() == [[-3.0], [-1.0]]
