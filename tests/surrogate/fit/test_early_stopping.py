"""Models grow until they rank rows that they did not see no better."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.model_selection import KFold

from ohmnas.surrogate import metrics
from ohmnas.surrogate.features import Features
from ohmnas.surrogate.fit import learners
from ohmnas.surrogate.fit.early_stopping import PATIENCE, STEP, Growing, grown_on
from ohmnas.surrogate.fit.learners import TreeSettings

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
QUICK = TreeSettings(depth=3, learning_rate=0.3)


def rows_of(n: int, noise: float) -> tuple[Features, Values, list[tuple[Rows, Rows]]]:
    """Features, labels that follow the first of them, folds."""
    rng = np.random.default_rng(0)
    features = rng.random((n, 6)).astype(np.float32)
    labels = features[:, 0].astype(np.float64) - 0.5 + noise * rng.standard_normal(n)
    return features, labels, [*KFold(5, shuffle=True, random_state=0).split(features)]


def grown(n: int = 500, noise: float = 1.0, most: int = 300, stop: bool = True) -> tuple[int, Values]:
    features, labels, parts = rows_of(n, noise)

    def make(rows: Rows) -> Growing:
        return learners.regressor(features[rows], labels[rows], QUICK, 0)

    return grown_on(parts, make, features, labels, most, stop)


def test_noise_is_learned_for_some_trees_only() -> None:
    trees, _ = grown()
    assert 0 < trees < 300 - PATIENCE * STEP
    assert trees % STEP == 0


def test_held_out_predictions_come_from_models_of_the_chosen_size_that_did_not_see_the_row() -> None:
    features, labels, parts = rows_of(500, 1.0)
    trees, said = grown()
    for train, test in parts:
        model = learners.regressor(features[train], labels[train], QUICK, 0).grow(trees)
        assert np.array_equal(said[test], learners.predict(model, features[test]))


def test_no_other_number_that_was_looked_at_ranks_better(monkeypatch: pytest.MonkeyPatch) -> None:
    taus: list[float] = []
    known = metrics.kendall_tau

    def noted(truth: Values, said: Values) -> float:
        taus.append(known(truth, said))
        return taus[-1]

    monkeypatch.setattr(metrics, "kendall_tau", noted)
    trees, _ = grown()
    assert int(np.argmax(taus)) + 1 == trees // STEP == len(taus) - PATIENCE


def test_all_trees_are_grown_if_nobody_wants_it_stopped() -> None:
    assert grown(most=130, stop=False)[0] == 130


def test_labels_that_are_all_equal_stop_at_once() -> None:
    features, _, parts = rows_of(500, 0.0)
    zeros = np.zeros(500)
    trees, said = grown_on(
        parts, lambda rows: learners.regressor(features[rows], zeros[rows], QUICK, 0), features, zeros, 300
    )
    assert trees == STEP
    assert not said.any()


def test_growing_in_parts_is_growing_at_once() -> None:
    features, labels, _ = rows_of(200, 0.1)
    parts, once = (learners.ranker(features, labels, 0.1, QUICK, 0) for _ in range(2))
    parts.grow(7)
    assert parts.grow(5).save_raw("json") == once.grow(12).save_raw("json")
