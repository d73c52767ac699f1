from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.cells import OPERATIONS, Cell, CellSpace
from ohmnas.spaces.cells.cell import REFERENCES

from .conftest import SPACE, every


def test_the_space_has_all_cells() -> None:
    assert SPACE.size == 5**6 == len(every())
    assert len(SPACE.decode(SPACE.canonical(every()[::25]))) == 625


def test_a_sample_of_all_has_each_cell_once(rng: np.random.Generator) -> None:
    population = SPACE.sample(6000, rng, at_least=1)
    assert len(np.unique(population, axis=0)) == len(population)
    assert 5100 <= len(population) <= 5260


def test_encoding_an_unusual_spelling_gives_the_canonical_cell() -> None:
    spelled = Cell(("skip_connect", "none", "none", "none", "nor_conv_3x3", "none"))
    (genome,) = SPACE.encode([spelled])
    assert SPACE.decode(genome[None]) == [Cell(("none", "none", "none", "nor_conv_3x3", "none", "none"))]


def test_a_genome_that_is_not_canonical_is_refused_with_the_one_that_is() -> None:
    with pytest.raises(InvalidValueError, match=r"genome 0: gene E01 is 1, .* canonical; the nearest valid value is 0"):
        SPACE.check(np.array([[1, 0, 0, 0, 3, 0]], dtype=np.int16))


def test_neighbours_are_cells_with_one_other_operation(rng: np.random.Generator) -> None:
    genome = SPACE.sample_uniform(1, rng)[0]
    expected = set()
    for edge in range(6):
        for code in range(5):
            other = genome.copy()
            other[edge] = code
            expected.add(tuple(SPACE.canonical(other[None])[0].tolist()))
    expected.discard(tuple(genome.tolist()))
    assert {tuple(row) for row in SPACE.neighbours(genome).tolist()} == expected


def test_mutants_have_one_other_operation_before_they_are_canonical(rng: np.random.Generator) -> None:
    parent = SPACE.encode([REFERENCES["cells-conv3x3"]])
    mutants = SPACE.mutate(np.repeat(parent, 500, axis=0), rng, {"operation": 1.0})
    near = {tuple(row) for row in SPACE.neighbours(parent[0]).tolist()}
    assert {tuple(row) for row in mutants.tolist()} == near


def test_traits_count_operations() -> None:
    traits = SPACE.traits(REFERENCES["cells-resnet"])
    assert traits == {
        "none": 0.0, "skip_connect": 1.0, "nor_conv_1x1": 0.0, "nor_conv_3x3": 5.0, "avg_pool_3x3": 0.0,
        "longest_way": 3.0,
    }  # fmt: skip


def test_structure_counts_what_its_names_say() -> None:
    population = SPACE.encode(REFERENCES.values())
    found = dict(zip(SPACE.structure_names, SPACE.structure(population, SPACE.layers(population)), strict=True))
    for row, cell in enumerate(SPACE.decode(population)):
        convolutions = [operation for operation in cell.operations if operation.startswith("nor_conv")]
        assert found["convolutions"][row] == len(convolutions)
        assert found["convolutions_3x3"][row] == convolutions.count("nor_conv_3x3")
        assert found["poolings"][row] == cell.operations.count("avg_pool_3x3")
        assert found["skips"][row] == cell.operations.count("skip_connect")


def test_an_operation_can_be_fixed(rng: np.random.Generator) -> None:
    gene = SPACE.genes.named("E03")
    assert gene.value("Skip_Connect") == OPERATIONS.index("skip_connect")
    within = Bounds.of(SPACE.genes, {"E03": (1, 1)})
    assert within.size == 5**5
    assert within.contain(within.from_unit_cube(rng.random((40, 6)))).all()


@pytest.mark.parametrize("text", ["skip", "conv", "", "5", "-1", "nor_conv_3x3 "])
def test_an_operation_that_there_is_not_is_refused_with_those_that_there_are(text: str) -> None:
    gene = SPACE.genes.named("E01")
    if text.strip() in OPERATIONS:
        assert gene.value(text) == 3
        return
    with pytest.raises(InvalidValueError, match=f"E01 must be one of {', '.join(OPERATIONS)}, not '{text}'"):
        gene.value(text)


def test_spaces_of_other_images_differ() -> None:
    assert CellSpace((3, 32, 32), 10) == SPACE != CellSpace((1, 32, 32), 10)
    assert_array_equal(SPACE.params(every()[:3]) - CellSpace((1, 32, 32), 10).params(every()[:3]), 2 * 9 * 16)
