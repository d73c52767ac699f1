from __future__ import annotations

import pytest

from ohmnas.datasets.tables.schema import ACCURACY_COLUMNS
from ohmnas.errors import UnknownNameError
from ohmnas.targets import DEFAULT_NAMES, DEFAULTS, DEVICE_LATENCY, TARGETS, TIMES, VARIATION_60S, VARIATIONS, target


def test_every_target_is_a_column_of_tables_and_every_such_column_a_target() -> None:
    elsewhere = {DEVICE_LATENCY.name, VARIATION_60S.name}  # of a foreign table, and of no table
    assert set(TARGETS) - elsewhere == set(ACCURACY_COLUMNS)
    assert elsewhere < set(TARGETS)
    assert all(one.name == name for name, one in TARGETS.items())
    assert tuple(TARGETS)[: len(DEFAULTS)] == DEFAULT_NAMES == ("accuracy_1d", "accuracy_1d_std", "avm")


def test_titles_tell_targets_apart() -> None:
    assert len({one.title for one in TARGETS.values()}) == len(TARGETS)
    for time, words in TIMES.items():
        assert time == "1d" or TARGETS[f"accuracy_{time}"].title == f"accuracy after {words}"


def test_only_accuracies_are_maximised_and_only_deviations_use_logarithms() -> None:
    for name, one in TARGETS.items():
        is_spread = name.endswith("_std")
        assert one.larger_is_better == (name.startswith("accuracy") and not is_spread)
        assert (one.scale == "log") == is_spread
        assert one.low < one.high
        assert one.low == (-1.0 if one in VARIATIONS else 0.0)


def test_a_target_that_there_is_not_is_refused() -> None:
    assert target("avm") is TARGETS["avm"]
    with pytest.raises(UnknownNameError, match=r"unknown target 'acuracy_1d': choose .*; did you mean accuracy_1d\?"):
        target("acuracy_1d")
