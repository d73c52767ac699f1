"""XGBoost's C interface, and several models as one, against what `inplace_predict` says."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import xgboost as xgb
from numpy.testing import assert_array_equal

from ohmnas.surrogate import boosters, heads
from ohmnas.surrogate.heads import TreeSettings

from . import conftest

FAST = TreeSettings(**conftest.FAST)


@pytest.fixture
def features(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    return rng.random((300, 4), dtype=np.float32)


def test_predictions_are_those_of_inplace_predict(features: npt.NDArray[np.float32]) -> None:
    model = heads.fit_regressor(features, features[:, 0].astype(np.float64) - 0.5, FAST, 0)
    for rows in (features, features[:1], features[::2], np.asfortranarray(features)):
        assert_array_equal(boosters.predict(model, rows)[:, 0], model.inplace_predict(np.ascontiguousarray(rows)))
    first = boosters.predict(model, features[:9])
    kept = first.copy()
    boosters.predict(model, features[9:18])
    assert_array_equal(first, kept)


def test_joined_models_say_what_each_of_them_says(features: npt.NDArray[np.float32]) -> None:
    labels = np.column_stack([features[:, 0] - 0.5, np.sin(9 * features[:, 1]), -features[:, 2]]).astype(np.float64)
    few = TreeSettings(rounds=7, depth=2)
    models = [heads.fit_regressor(features, column, few if k else FAST, k) for k, column in enumerate(labels.T)]
    together = boosters.predict(boosters.joined(models), features)
    assert_array_equal(together, np.column_stack([model.inplace_predict(features) for model in models]))


def test_no_rows_have_no_predictions(features: npt.NDArray[np.float32]) -> None:
    model = heads.fit_regressor(features, features[:, 0].astype(np.float64), FAST, 0)
    assert boosters.predict(model, features[:0]).shape == (0, 1)
    assert boosters.predict(boosters.joined([model, model]), features[:0]).shape == (0, 2)


def test_other_features_are_refused(features: npt.NDArray[np.float32]) -> None:
    model = heads.fit_regressor(features, features[:, 0].astype(np.float64), FAST, 0)
    with pytest.raises(xgb.core.XGBoostError, match="columns"):
        boosters.predict(model, np.hstack([features, features]))
