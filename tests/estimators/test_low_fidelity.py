from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ohmnas.datasets.campaign.fidelity import Fidelity
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.estimators import estimator
from ohmnas.estimators.low_fidelity import SHARES, low_fidelity, narrowed
from ohmnas.search.estimator import Estimator
from ohmnas.testing import EstimatorContract

DIGITS = task("digits")
TINY = Fidelity("tiny", epochs=1, batch=32, chips=2, train_images=64, validation_images=50, resolution=4)
FULL = replace(TINY, epochs=8, train_images=None, resolution=None)


class TestNarrowerNetwork(EstimatorContract):
    rows = 2
    max_params = 2_000

    def make(self, seed: int) -> Estimator:
        return low_fidelity("narrower_network", DIGITS, seed, base=TINY)


def test_each_reduction_changes_one_thing() -> None:
    images = len(DIGITS.load().train.labels)
    found = {name: low_fidelity(name, DIGITS, base=FULL).provenance for name in SHARES}
    assert {name: one["epochs"] for name, one in found.items() if one["epochs"] != 8} == {"fewer_epochs": 2}
    few = {name: one["train_images"] for name, one in found.items() if one["train_images"] is not None}
    assert few == {"fewer_images": round(images / 4)}
    assert {name: one["resolution"] for name, one in found.items() if one["resolution"]} == {"lower_resolution": 4}
    assert {one["fidelity"] for one in found.values()} == {*SHARES}


def test_narrowed_networks_are_architectures_with_fewer_channels() -> None:
    space = DIGITS.space
    population = space.sample(50, np.random.default_rng(0), max_params=50_000)
    found = narrowed(space, population, 0.5)
    assert len(space.decode(found)) == len(population)
    assert (space.params(found) <= space.params(population)).all()
    assert np.array_equal(narrowed(space, population, 1.0), population)


def test_wrong_choices_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown reduction 'fewer_epoch'"):
        low_fidelity("fewer_epoch", DIGITS, share=0.5)
    for share in (0.0, 1.5, float("nan")):
        with pytest.raises(InvalidValueError, match="above 0 and at most 1"):
            low_fidelity("fewer_epochs", DIGITS, share=share)
    with pytest.raises(InvalidValueError, match="have no gene OC0"):
        low_fidelity("narrower_network", DIGITS.in_space("cells"))


def test_each_reduction_has_a_name_among_the_estimators() -> None:
    for name in SHARES:
        assert estimator(name, DIGITS, 3).provenance["seed"] == 3
