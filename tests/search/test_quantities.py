from __future__ import annotations

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.search.quantities import Quantities
from ohmnas.search.quantity_names import COSTS
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.targets import DEFAULT_NAMES, TARGETS

from .conftest import CHIP, SPACE, Formula, exact_cost, some


@pytest.mark.parametrize("name", COSTS)
def test_costs_are_those_of_the_space(name: str) -> None:
    population = some(50)
    found = Quantities(SPACE, population, CHIP)[name]
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, exact_cost(name, population))


def test_costs_of_many_are_the_costs_of_each() -> None:
    population = np.tile(some(150), (9, 1))
    of = Quantities(SPACE, population, CHIP)
    for name in COSTS:
        np.testing.assert_array_equal(of[name], np.tile(exact_cost(name, population[:150]), 9))


def test_targets_are_what_was_estimated() -> None:
    population = some(20)
    estimate = Formula().estimate(population)
    of = Quantities(SPACE, population, None, estimate)
    for name in DEFAULT_NAMES:
        np.testing.assert_array_equal(of[name], estimate[name])
    assert len(of) == 20


def test_unavailable_quantities_are_refused() -> None:
    of = Quantities(SPACE, some(3), None)
    for name in ("tiles", "energy", "latency"):
        with pytest.raises(InvalidValueError, match="pass a chip to the problem"):
            of[name]
    for name in TARGETS:
        with pytest.raises(InvalidValueError, match=f"{name} is a predicted target, but there are no predictions"):
            of[name]
    with pytest.raises(UnknownNameError, match="unknown quantity 'speed': choose accuracy_1d"):
        of["speed"]
    assert of["params"].tolist() == SPACE.params(some(3)).tolist()  # what can be known still is


def test_nobody_has_costs() -> None:
    of = Quantities(SPACE, some(3)[:0], CHIP, Formula().estimate(some(3)[:0]))
    assert all(of[name].shape == (0,) for name in (*DEFAULT_NAMES, *COSTS))


def test_the_classes_of_a_space_count_in_its_memory() -> None:
    """Ten thousand outputs are more than any feature map of a small image."""
    wide = ResNetSpace((1, 4, 4), 10_000)
    population = some(10)
    found = Quantities(wide, population, None)["memory"]
    np.testing.assert_array_equal(found, wide.layers(population).peak_memory())
    assert (found > 10_000).all()
