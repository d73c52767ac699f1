from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ohmnas.datasets.campaign.fidelity import Fidelity
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError
from ohmnas.estimators import estimator
from ohmnas.estimators.inherit import Inherited
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock
from ohmnas.testing import EstimatorContract

DIGITS = task("digits")
TINY = Fidelity("tiny", epochs=1, batch=32, chips=2, train_images=64, validation_images=50, resolution=4)
SMALL = Architecture(8, 3, (MainBlock(1, 1, "A", 1, True),))
PARENTS = DIGITS.space.encode([SMALL, replace(SMALL, stem_channels=9)])


class TestInherited(EstimatorContract):
    rows = 2
    max_params = 2_000

    def make(self, seed: int) -> Estimator:
        return Inherited(DIGITS, PARENTS, seed, base=TINY)


def test_the_largest_parent_is_trained_once() -> None:
    one = Inherited(DIGITS, PARENTS, base=TINY)
    children = DIGITS.space.encode([replace(SMALL, stem_channels=width) for width in (10, 11)])
    parent = one.parent_of(children[0])
    assert parent is not None
    assert np.array_equal(parent, PARENTS[1])
    one.estimate(children[:1])
    spent = one.parent_seconds
    assert spent > 0.0
    one.estimate(children)
    assert one.parent_seconds - spent < spent / 2


def test_an_inherited_network_is_better_than_one_from_scratch() -> None:
    effort = Fidelity("short", epochs=6, batch=32, chips=2)
    child = DIGITS.space.encode([replace(SMALL, stem_channels=10)])
    with_parent, alone = (
        Inherited(DIGITS, parents, base=effort, share=1 / 6).estimate(child)["accuracy_1d"][0]
        for parents in (PARENTS[:1], PARENTS[:0])
    )
    assert with_parent > alone + 0.2


def test_wrong_choices_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="needs the resnet space, not cells"):
        estimator("inherited", DIGITS.in_space("cells"))
    with pytest.raises(InvalidValueError, match="above 0 and at most 1"):
        Inherited(DIGITS, PARENTS, share=0.0)
    assert estimator("inherited", DIGITS, 3).provenance["parents"] == 1
