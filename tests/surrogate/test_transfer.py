"""The predicting half of source models."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import HERMES
from ohmnas.surrogate.calibration import Calibration
from ohmnas.surrogate.features import chipless, feature_matrix, feature_names
from ohmnas.surrogate.transfer import Line, SourceModel, chipless_features, genome_keys
from ohmnas.surrogate.trees import Trees

from .conftest import CHIP, SPACE

LEAF = Trees(np.array([1], "i4"), np.array([-1], "i2"), np.array([0.5], "f4"), 0.25)


def test_a_source_model_adds_up_the_trees_of_each_target() -> None:
    model = SourceModel(SPACE, (LEAF, LEAF, LEAF), ("digits on pcm",))
    population = SPACE.sample_uniform(4, np.random.default_rng(0))
    assert_array_equal(model.predict(population, CHIP), np.full((4, 3), 0.75))
    with pytest.raises(InvalidValueError, match="fit it to its table again"):
        model.predict(population, CHIP, unseen=True)
    with pytest.raises(InvalidValueError, match="3 tree ensembles, not 1"):
        SourceModel(SPACE, (LEAF,), ())


def test_of_a_chip_it_sees_its_noise_alone() -> None:
    population = SPACE.sample_uniform(4, np.random.default_rng(0))
    one, other = (chipless_features(SPACE, population, chip) for chip in (CHIP, HERMES.description()))
    assert one.shape == other.shape == (4, chipless(SPACE))
    assert (one != other).any()
    assert len(set(genome_keys(population))) == 4


def test_stacked_predictions_are_those_of_the_source_in_any_space() -> None:
    lasting = feature_names(SPACE, ()).index("log2_lasting_share")
    split = Trees(np.array([3], "i4"), np.array([lasting, -1, -1], "i2"), np.array([-1e-3, 0.0, 1.0], "f4"), 0.0)
    here, speech = SPACE, task("spoken-digits").space
    population = here.sample_uniform(8, np.random.default_rng(0))
    own = feature_matrix(here, population, CHIP)
    before = own.copy()
    for space in (here, speech):
        source = SourceModel(space, (split, LEAF, LEAF), ("digits on pcm",))
        stacked = source.stacked(own, population, CHIP, here)
        assert_array_equal(stacked, np.hstack([own, source.predict(population, CHIP)]))
        assert_array_equal(own, before)


def test_a_line_counts_as_much_as_its_share() -> None:
    ranks = Calibration(np.array([0.0, 1.0]), np.array([0.2, 0.6]))
    line = Line(np.eye(3), np.zeros(3), np.array([0.25, 0.0, 1.0]), ranks)
    source, trees = np.full((2, 3), 0.9, dtype=np.float32), np.full((2, 3), 0.4)
    # the accuracy 0.4 has the rank 0.5: 0.25 x 0.9 + 0.75 x 0.5 is the rank of 0.44
    assert_allclose(line.blend(source, trees), [[0.44, 0.4, 0.9]] * 2)
    for slopes, heights, shares in (
        (np.eye(2), np.ones(3), np.full(3, 0.5)),
        (np.eye(3), np.ones(2), np.full(3, 0.5)),
        (np.eye(3), np.ones(3), np.full(2, 0.5)),
        (np.eye(3), np.ones(3), np.array([0.5, 0.5, 2.0])),
        (np.eye(3), np.ones(3), np.array([0.5, 0.5, np.nan])),
    ):
        with pytest.raises(InvalidValueError, match="a line has"):
            Line(slopes, heights, shares, ranks)
