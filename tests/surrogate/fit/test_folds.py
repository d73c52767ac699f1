"""Folds of training rows."""

from __future__ import annotations

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.resnet.genes import GENES
from ohmnas.surrogate.fit.folds import check_labels, folds, networks_of
from tests.surrogate.conftest import SPACE


def test_each_row_is_tested_once_and_repeats_of_a_network_stay_together() -> None:
    population = SPACE.sample(23, np.random.default_rng(0), max_params=200_000)
    twice = np.concatenate([population, population[:7]])
    for rows in (population, twice):
        parts = folds(rows, GENES, 5, seed=1)
        assert sorted(np.concatenate([test for _, test in parts]).tolist()) == list(range(len(rows)))
        networks = networks_of(rows, GENES)
        for train, test in parts:
            assert not {*networks[train]} & {*networks[test]}


def test_labels_are_fractions_of_each_row() -> None:
    assert check_labels([[0.5, 0.1, -0.1]], 1).shape == (1, 3)
    for wrong in ([[0.5, 0.1]], [[50.0, 0.1, 0.0]], [[0.5, -0.1, 0.0]], [[float("nan"), 0.1, 0.0]]):
        with pytest.raises(InvalidValueError):
            check_labels(wrong, 1)
