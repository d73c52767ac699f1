"""Vectorised inference against XGBoost itself, bit for bit."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate import forest as module
from ohmnas.surrogate.features import Features
from ohmnas.surrogate.fit.learners import trees_of
from ohmnas.surrogate.forest import _AT_ONCE, DEEPEST, Forest

F = 5


def table(n: int, seed: int = 0) -> Features:
    """Features some of which have few values, so that rows lie on thresholds."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, F)).astype(np.float32)
    rows[:, :2] = np.round(rows[:, :2])
    return rows


def grown(rounds: int, seed: int = 0, base: float = 0.0, **params: object) -> xgb.Booster:
    rows = table(300, seed)
    labels = np.sin(3 * rows[:, 0]) + rows[:, 1] * rows[:, 2] - np.abs(rows[:, 3])
    params = {"nthread": 1, "base_score": base, "max_depth": 4, "subsample": 0.7, "seed": seed, **params}
    return xgb.train(params, xgb.DMatrix(rows, labels), rounds)


def forest_of(*models: xgb.Booster) -> Forest:
    return Forest.of([trees_of(model) for model in models], F)


def by_xgboost(models: list[xgb.Booster], rows: Features) -> np.ndarray:
    return np.column_stack([model.inplace_predict(rows) for model in models])


@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.integers(1, DEEPEST), st.floats(-1, 1, width=32)), min_size=1, max_size=3
    ),
    st.sampled_from([1, 2, 63, 64, 65, 110, _AT_ONCE, _AT_ONCE + 1]),
    st.integers(0, 9),
)
@settings(max_examples=25, deadline=None)
def test_it_equals_xgboost_to_the_bit(sizes: list[tuple[int, int, float]], n: int, seed: int) -> None:
    models = [grown(rounds, seed, base, max_depth=depth) for rounds, depth, base in sizes]
    rows = table(n, seed + 1)
    assert_array_equal(forest_of(*models).predict(rows), by_xgboost(models, rows))


def test_an_empty_ensemble_predicts_its_base() -> None:
    model = grown(0, base=0.5)
    assert forest_of(model).predict(table(3)).tolist() == [[0.5]] * 3


def test_rows_on_a_threshold_go_right() -> None:
    model = grown(30)
    tree = json.loads(model.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"][0]
    feature, threshold = tree["split_indices"][0], np.float32(tree["split_conditions"][0])
    rows = np.repeat(table(1), 3, axis=0)
    rows[:, feature] = [np.nextafter(threshold, np.float32(-np.inf)), threshold, np.nextafter(threshold, np.float32(9))]
    assert_array_equal(forest_of(model).predict(rows), by_xgboost([model], rows))


@pytest.mark.parametrize("n", [1, 90, _AT_ONCE + 1])
def test_deep_trees_equal_xgboost_to_the_bit(n: int) -> None:
    models = [grown(3, max_depth=DEEPEST + 2, min_child_weight=0), grown(2), grown(3, base=0.5, gamma=1e9)]
    forest, rows = forest_of(*models), table(n, 3)
    assert forest.paths is not None
    assert_array_equal(forest.predict(rows), by_xgboost(models, rows))
    assert forest.predict(rows[:0]).shape == (0, 3)


def test_many_full_trees_take_paths_instead_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    models, rows = [grown(9)], table(70, 1)
    bits = forest_of(*models)
    monkeypatch.setattr(module, "MOST_LEAVES", 100)
    paths = forest_of(*models)
    assert bits.paths is None
    assert paths.paths is not None
    assert_array_equal(paths.predict(rows), bits.predict(rows))


def test_trees_without_a_split_are_constants() -> None:
    model = grown(4, gamma=1e9)
    rows = table(7)
    forest = forest_of(model, grown(3))
    assert_array_equal(forest.predict(rows), by_xgboost([model, grown(3)], rows))
    assert_array_equal(forest_of(model).predict(rows), by_xgboost([model], rows))


def test_a_row_is_judged_alike_in_any_batch_and_layout() -> None:
    forest, rows = forest_of(grown(20), grown(9, seed=4)), table(1300, 2)
    together = forest.predict(rows)
    assert_array_equal(together, np.concatenate([forest.predict(rows[i : i + 1]) for i in range(len(rows))]))
    assert_array_equal(forest.predict(np.asfortranarray(rows)), together)
    assert_array_equal(forest.predict(rows[::2]), together[::2])
    assert forest.predict(rows[:0]).shape == (0, 2)


def test_other_features_are_refused() -> None:
    forest = forest_of(grown(2))
    for rows in (table(3)[:, :-1], np.hstack([table(3), table(3)]), table(3)[0]):
        with pytest.raises(InvalidValueError, match=f"{F} features"):
            forest.predict(rows)


def test_trees_of_more_features_than_rows_have_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="a feature beyond the 1 features of the rows"):
        Forest.of([trees_of(grown(3))], 1)
