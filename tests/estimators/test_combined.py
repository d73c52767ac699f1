from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.estimators.cascade import Cascade
from ohmnas.estimators.combined import Combined
from ohmnas.estimators.latency import LatencyTable
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.cells import CellSpace
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.targets import Target
from ohmnas.testing import EstimatorContract
from ohmnas.testing.formula import SPACE, Formula


class OfSpace(Formula):
    @property
    def space(self) -> Space:
        return SPACE


TABLE = LatencyTable(SPACE, np.array([[9, 8, 64, 1]]), np.array([1e-4]))


class TestCombined(EstimatorContract):
    draws_nothing = True

    def make(self, seed: int) -> Estimator:
        del seed
        return Combined(Formula(), TABLE)


def test_it_predicts_what_both_predict() -> None:
    population = SPACE.sample(3, np.random.default_rng(0))
    found = Combined(Formula(), TABLE).estimate(population)
    assert found.names == ("accuracy_1d", "accuracy_1d_std", "avm", "device_latency")
    np.testing.assert_array_equal(found["avm"], Formula().estimate(population)["avm"])
    np.testing.assert_array_equal(found["device_latency"], TABLE.estimate(population)["device_latency"])


class OfSmall(OfSpace):
    def accepts(self, population: Population) -> npt.NDArray[np.bool_]:
        return SPACE.params(population) < 20_000


def test_networks_that_one_cannot_estimate_are_not_accepted() -> None:
    population = SPACE.sample(40, np.random.default_rng(0))
    small = OfSmall().accepts(population)
    assert 0 < small.sum() < len(small)
    for made in (Combined(OfSmall(), TABLE), Cascade(OfSmall(), Formula()), Cascade(Formula(), OfSmall())):
        np.testing.assert_array_equal(made.accepts(population), small)


class OnChips(OfSpace):
    @property
    def space(self) -> Space:
        return CoDesignSpace.on(SPACE)

    @property
    def targets(self) -> tuple[Target, ...]:
        return ()

    def accepts(self, population: Population) -> npt.NDArray[np.bool_]:
        return np.ones(len(population), dtype=np.bool_)


def test_the_second_estimator_sees_no_genes_of_a_chip() -> None:
    population = CoDesignSpace.on(SPACE).sample(40, np.random.default_rng(0))
    small = SPACE.params(population[:, : len(SPACE.gene_names)]) < 20_000
    assert 0 < small.sum() < len(small)
    np.testing.assert_array_equal(Combined(OnChips(), OfSmall()).accepts(population), small)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="both estimators predict device_latency"):
        Combined(TABLE, TABLE)
    cells = LatencyTable(CellSpace((3, 32, 32), 10), np.array([[9, 8, 64, 1]]), np.array([1e-4]))
    with pytest.raises(InvalidValueError, match="cannot be added to one for"):
        Combined(OfSpace(), cells)


def test_designs_have_the_latency_of_their_network() -> None:
    space = CoDesignSpace.on(SPACE)
    designs = space.sample(3, np.random.default_rng(0))

    class Known(Formula):
        @property
        def space(self) -> CoDesignSpace:
            return space

    found = Combined(Known(), TABLE).estimate(designs)
    networks = designs[:, : len(SPACE.gene_names)]
    np.testing.assert_array_equal(found["device_latency"], TABLE.estimate(networks)["device_latency"])
