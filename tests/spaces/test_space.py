"""One contract over all spaces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.cells import CellSpace
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.mobile import MobileSpace
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.space import Space
from ohmnas.testing.spaces import PROPERTIES, SpaceContract

SPACES: dict[str, Space] = {
    "resnet": ResNetSpace((1, 8, 8), 10),
    "cells": CellSpace((3, 9, 7), 4),
    "mobile": MobileSpace((3, 12, 10), 4),
    "codesign": CoDesignSpace.on(ResNetSpace((2, 7, 8), 3)),
    "codesign-cells": CoDesignSpace.on(CellSpace((1, 8, 8), 10)),
}
EXAMPLES = 1000
EACH = -(-EXAMPLES // (len(SPACES) * len(PROPERTIES)))


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", PROPERTIES)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=EACH)
def test_the_contract_holds_for_every_drawn_example(name: str, space: str, seed: int) -> None:
    PROPERTIES[name](SPACES[space], np.random.default_rng(seed))


class TestResNet(SpaceContract):
    def make(self) -> Space:
        return ResNetSpace((1, 8, 8), 10)


class TestCells(SpaceContract):
    def make(self) -> Space:
        return CellSpace((3, 9, 7), 4)


class TestMobile(SpaceContract):
    def make(self) -> Space:
        return MobileSpace((3, 12, 10), 4)


class TestCoDesign(SpaceContract):
    def make(self) -> Space:
        return CoDesignSpace.on(ResNetSpace((2, 7, 8), 3))


class TestCoDesignOfCells(SpaceContract):
    def make(self) -> Space:
        return CoDesignSpace.on(CellSpace((1, 8, 8), 10))


@pytest.mark.parametrize("space", SPACES.values(), ids=list(SPACES))
def test_invalid_populations_are_refused(space: Space) -> None:
    genes = len(space.genes)
    for wrong in (np.zeros((2, genes + 1), dtype=np.int16), np.zeros(genes, dtype=np.int16)):
        with pytest.raises(InvalidValueError, match=f"must have {genes} genes, not shape"):
            space.check(wrong)
    with pytest.raises(InvalidValueError, match="whole numbers"):
        space.check(np.zeros((2, genes)))  # type: ignore[arg-type]


@pytest.mark.parametrize("space", SPACES.values(), ids=list(SPACES))
def test_unsigned_numbers_are_read_as_they_are(space: Space) -> None:
    """A number above all signed ones is too large and no small negative one."""
    rng = np.random.default_rng(0)
    valid = space.sample_uniform(3, rng)
    np.testing.assert_array_equal(space.check(valid.astype(np.uint64)), valid)
    wild = np.full((1, len(space.genes)), 2**64 - 1, dtype=np.uint64)
    np.testing.assert_array_equal(space.repair(wild), space.repair(np.full((1, len(space.genes)), 2**62)))


def test_costs_of_many_are_those_of_each() -> None:
    for space in SPACES.values():
        population = np.repeat(space.sample_uniform(5, np.random.default_rng(0)), 450, axis=0)
        params, macs = space.params_and_macs(population)
        np.testing.assert_array_equal(params, np.repeat(space.params(population[::450]), 450))
        np.testing.assert_array_equal(macs, np.repeat(space.macs(population[::450]), 450))
