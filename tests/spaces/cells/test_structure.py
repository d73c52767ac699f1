"""Derived quantities of cells: paths, working edges, signals through the stack."""

import numpy as np
import numpy.typing as npt
import pytest

from ohmnas.spaces.cells import Cell, CellSpace
from ohmnas.spaces.cells.genes import canonical, every
from ohmnas.spaces.cells.structure import NAMES, structure
from ohmnas.spaces.genes import Population


def of(text: str) -> dict[str, float]:
    population = np.array([[CODES[name] for name in text.split()]], dtype=np.int16)
    return dict(zip(NAMES, structure(population)[:, 0].tolist(), strict=True))


CODES = {"none": 0, "skip": 1, "conv1": 2, "conv3": 3, "pool": 4}


def test_a_chain_has_one_path_of_three_convolutions() -> None:
    found = of("conv3 none conv1 none none conv3")
    assert found["paths"] == 1.0
    assert found["longest_way"] == found["shortest_way"] == found["mean_way"] == 3.0
    assert (found["convolutions"], found["convolutions_3x3"], found["receptive_field"]) == (3.0, 2.0, 2.0)
    assert found["direct_power"] == 0.0
    assert found["independent_terms"] == 1.0


def test_edges_without_effect_do_not_count() -> None:
    dead = of("conv3 none none conv1 none none")  # node 1 leads nowhere
    assert dead["convolutions"] == 1.0
    assert dead["convolutions_3x3"] == 0.0


def test_a_cell_without_path_has_no_counts() -> None:
    found = of("conv3 conv3 conv3 none none none")
    assert all(found[name] == 0.0 for name in NAMES[:18])


def test_two_skips_double_the_signal() -> None:
    found = of("skip none none skip skip none")
    assert found["direct_power"] == 4.0  # power of twice the input
    assert found["paths_of_skips"] == 2.0
    assert found["log2_power"] == pytest.approx(10.0)  # five cells
    assert found["similarity_of_near"] == pytest.approx(0.9)


def test_convolutions_separate_inputs_and_skips_keep_them_similar() -> None:
    deep, residual = of("conv3 none conv3 none none conv3"), of("conv3 none conv3 skip none conv3")
    assert deep["similarity_of_near"] < residual["similarity_of_near"]
    assert deep["log2_accumulated_error"] > residual["log2_accumulated_error"]


def test_isomorphic_cells_have_equally_long_ways(everything: Population) -> None:
    row = NAMES.index("longest_way")
    np.testing.assert_array_equal(structure(everything)[row], structure(canonical(everything))[row])


def test_all_are_finite(everything: Population) -> None:
    values = structure(everything)
    assert values.shape == (len(NAMES), len(everything))
    assert np.isfinite(values).all()


def test_the_space_names_them() -> None:
    space = CellSpace((3, 32, 32), 10)
    population = space.encode([Cell(("nor_conv_3x3",) * 6)])
    values: npt.NDArray[np.float64] = space.structure(population, space.layers(population))
    assert len(values) == len(space.structure_names)


@pytest.fixture(scope="module")
def everything() -> Population:
    return every()
