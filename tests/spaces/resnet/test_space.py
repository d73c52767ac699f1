from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace, genes
from ohmnas.spaces.resnet.references import REFERENCES
from tests.spaces.conftest import SPACE, populations


@given(populations())
def test_decoding_and_encoding_is_the_identity(population: Population) -> None:
    architectures = SPACE.decode(population)
    assert np.array_equal(SPACE.encode(architectures), population)
    assert SPACE.decode(SPACE.encode(architectures)) == architectures


@given(populations(), populations())
def test_equal_networks_have_equal_genomes_and_only_they(one: Population, other: Population) -> None:
    rows = np.concatenate([one, other])
    decoded = SPACE.decode(rows)
    for i in range(len(rows)):
        assert (decoded[0] == decoded[i]) == np.array_equal(rows[0], rows[i])


def test_the_order_of_references_is_kept() -> None:
    assert SPACE.decode(SPACE.encode(REFERENCES.values())) == list(REFERENCES.values())


@given(hnp.arrays(np.int64, (4, genes.GENES), elements=st.integers(-(2**40), 2**40)))
def test_repair_makes_any_integers_valid_and_rests_there(
    matrix: np.ndarray[tuple[int, int], np.dtype[np.int64]],
) -> None:
    repaired = SPACE.repair(matrix)
    assert np.array_equal(SPACE.check(repaired), repaired)
    assert np.array_equal(SPACE.repair(repaired), repaired)


@given(populations())
def test_repair_leaves_valid_genomes_alone(population: Population) -> None:
    assert np.array_equal(SPACE.repair(population), population)


@given(populations(most=3), st.integers(0, genes.GENES - 1), st.sampled_from([-1, 200, 999]))
def test_a_gene_out_of_range_is_named(population: Population, gene: int, value: int) -> None:
    broken = population.astype(np.int64)
    broken[-1, gene] = value
    with pytest.raises(InvalidValueError, match=f"genome {len(population) - 1}: gene "):
        SPACE.check(broken)


def test_a_matrix_of_another_shape_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="28 genes"):
        SPACE.check(np.zeros((2, 27), dtype=np.int16))


def test_the_size_counts_every_genome() -> None:
    stems = 121 * 3
    block = 16 * 12 * 2 * 4 * 2
    assert SPACE.size == stems * (block + block**2 + block**3 + block**4 + block**5)
    assert SPACE.size > 73 * 10**9  # the space of AnalogNAS, which it contains


def test_costs_of_an_empty_population_are_empty() -> None:
    empty = np.empty((0, genes.GENES), dtype=np.int16)
    assert SPACE.params(empty).shape == (0,)
    assert SPACE.decode(empty) == []


def test_spaces_of_other_images_differ() -> None:
    assert ResNetSpace((1, 8, 8), 10) == SPACE
    assert ResNetSpace((3, 8, 8), 10) != SPACE


def test_costs_of_many_are_those_of_each(rng: np.random.Generator) -> None:
    space = ResNetSpace((3, 32, 32), 10)
    population = space.sample_uniform(2500, rng)
    params, macs = space.params_and_macs(population)
    np.testing.assert_array_equal(params, space.params(population))
    np.testing.assert_array_equal(macs, space.macs(population))
    assert [costs.shape for costs in space.params_and_macs(population[:0])] == [(0,), (0,)]
