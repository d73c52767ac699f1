from __future__ import annotations

import numpy as np

from ohmnas.estimators.zero_cost.measure import HIGHEST, LOWEST, bounded, proxy_target


def test_undefined_values_are_the_lowest() -> None:
    values = bounded(np.array([np.nan, -np.inf, np.inf, 1.5, -1e300]))
    np.testing.assert_array_equal(values, [LOWEST, LOWEST, HIGHEST, 1.5, LOWEST])


def test_a_larger_value_is_better() -> None:
    assert proxy_target("snip", "SNIP").larger_is_better
