"""Networks and chips as one space: each half is what it is alone, and together they are designs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from ohmnas.costs.crossbar import crossbar_costs
from ohmnas.costs.noise import noise_budget
from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.hardware import HERMES, IDEAL, Hardware
from ohmnas.hardware import chip_genes as chips
from ohmnas.hardware.chip_genes import CHIP_GENE_NAMES, MOST_CHIPS, every_chip, from_hardware, to_hardware
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.codesign import CoDesignSpace, chip_settings, space_of
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import MUTATION_RATES, genes
from ohmnas.spaces.resnet.genes import GENES
from ohmnas.spaces.resnet.references import REFERENCES

from .conftest import DESIGNS, SPACE, designs

WIDTH = GENES + len(CHIP_GENE_NAMES)
ONE_NETWORK = {
    "OC0": (8, 8),
    "KS0": (3, 3),
    "M": (1, 1),
    "R": (1, 1),
    "B": (1, 1),
    "CT": (1, 1),
    "WF": (1, 1),
    "skip": (1, 1),
}

seeds = st.integers(0, 2**32 - 1)
Sampler = Callable[[CoDesignSpace, int, np.random.Generator], Population]
SAMPLERS: list[Sampler] = [
    CoDesignSpace.sample_uniform,
    CoDesignSpace.sample_latin_hypercube,
    CoDesignSpace.sample,
]


def networks_of(population: Population) -> Population:
    return population[:, :GENES]


def test_a_design_has_the_genes_of_a_network_and_those_of_a_chip() -> None:
    assert DESIGNS.gene_names == (*genes.GENE_NAMES, "TECH", "TILE", "DAC", "ADC")
    assert DESIGNS.size == SPACE.size * MOST_CHIPS
    assert len(DESIGNS.everything.low) == WIDTH
    assert DESIGNS.networks == SPACE


def test_the_chips_of_a_population_are_a_view(rng: np.random.Generator) -> None:
    population = DESIGNS.sample_uniform(3, rng)
    DESIGNS.chips(population)[1] = [2, 6, 4, 5]
    assert population[1, GENES:].tolist() == [2, 6, 4, 5]


def test_spaces_of_networks_and_of_designs_differ_and_are_found_by_their_names() -> None:
    assert space_of("resnet-1", (1, 8, 8), 10) == SPACE
    assert space_of("resnet-1+chips-1", (1, 8, 8), 10) == DESIGNS
    for name in ("resnet-1", "resnet-1+chips-1", "cells-1", "cells-1+chips-1"):
        assert space_of(name, (3, 16, 16), 4).name == name
    with pytest.raises(
        UnknownNameError, match="unknown space 'cells-2': choose resnet-1, cells-1, mobile-1; did you mean"
    ):
        space_of("cells-2", (1, 8, 8), 10)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samples_are_designs_and_follow_from_the_seed(sampler: Sampler) -> None:
    for seed in range(3):
        population = sampler(DESIGNS, 40, np.random.default_rng(seed))
        assert population.shape == (40, WIDTH)
        assert population.dtype == np.int16
        assert_array_equal(DESIGNS.check(population), population)
        assert_array_equal(sampler(DESIGNS, 40, np.random.default_rng(seed)), population)
        assert not np.array_equal(sampler(DESIGNS, 40, np.random.default_rng(seed + 10)), population)
        assert len(np.unique(DESIGNS.chips(population), axis=0)) > 20


def test_uniform_samples_have_every_chip_equally_often(rng: np.random.Generator) -> None:
    drawn = DESIGNS.chips(DESIGNS.sample_uniform(60_000, rng))
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == MOST_CHIPS
    assert (np.abs(counts - 200) < 6 * np.sqrt(200)).all()


def test_a_latin_hypercube_has_each_value_of_each_chip_gene_exactly_as_often(rng: np.random.Generator) -> None:
    drawn = DESIGNS.chips(DESIGNS.sample_latin_hypercube(120, rng))
    for column, values in enumerate((3, 4, 5, 5)):
        assert np.unique(drawn[:, column], return_counts=True)[1].tolist() == [120 // values] * values


def test_samples_lie_within_bounds_on_networks_chips_and_costs(rng: np.random.Generator) -> None:
    within = Bounds.of(DESIGNS.genes, {"M": (1, 3), "KS0": (3, 3), "TECH": (1, 1), "ADC": (6, 7)})
    population = DESIGNS.sample(60, rng, 40_000, 2e6, 5000, within=within)
    assert len(np.unique(population, axis=0)) == 60
    assert within.contain(population).all()
    params, macs = SPACE.params_and_macs(networks_of(population))
    assert ((params >= 5000) & (params <= 40_000) & (macs <= 2e6)).all()


def test_a_network_can_be_sampled_on_many_chips(rng: np.random.Generator) -> None:
    within = Bounds.of(DESIGNS.genes, ONE_NETWORK)
    assert within.size == MOST_CHIPS
    population = DESIGNS.sample(100, rng, at_least=1, within=within)
    assert len(np.unique(population, axis=0)) == 100


def test_nothing_wanted_is_nothing_found(rng: np.random.Generator) -> None:
    assert DESIGNS.sample(0, rng).shape == (0, WIDTH)


@given(designs(), seeds)
@settings(max_examples=50)
def test_mutants_are_designs_whose_networks_mutate_as_they_do_alone(population: Population, seed: int) -> None:
    population.setflags(write=False)
    mutants = DESIGNS.mutate(population, np.random.default_rng(seed))
    assert mutants.dtype == np.int16
    assert_array_equal(DESIGNS.check(mutants), mutants)
    assert_array_equal(networks_of(mutants), SPACE.mutate(networks_of(population), np.random.default_rng(seed)))
    steps = (DESIGNS.chips(mutants) != DESIGNS.chips(population)).sum(axis=1)
    assert (steps <= 1).all()
    assert_array_equal(DESIGNS.mutate(population, np.random.default_rng(seed)), mutants)


@pytest.mark.parametrize(
    ("rate", "low", "high"), [(0.0, 0.0, 0.0), (0.2, 0.15, 0.25), (1.0, 1.0, 1.0), (None, 0.45, 0.55)]
)
def test_so_many_children_have_another_chip(
    rate: float | None, low: float, high: float, rng: np.random.Generator
) -> None:
    population = DESIGNS.sample_uniform(2000, rng)
    rates = MUTATION_RATES if rate is None else {**MUTATION_RATES, "chip": rate}
    moved = (DESIGNS.chips(DESIGNS.mutate(population, rng, rates)) != DESIGNS.chips(population)).any(axis=1)
    assert low <= moved.mean() <= high


@given(designs(), seeds)
@settings(max_examples=50)
def test_children_have_each_gene_of_their_chip_from_either_parent(population: Population, seed: int) -> None:
    fathers = population[np.random.default_rng(seed).permutation(len(population))]
    population.setflags(write=False)
    fathers.setflags(write=False)
    children = DESIGNS.cross(population, fathers, np.random.default_rng(seed))
    assert children.dtype == np.int16
    assert_array_equal(DESIGNS.check(children), children)
    chip, mother, father = (DESIGNS.chips(p) for p in (children, population, fathers))
    assert ((chip == mother) | (chip == father)).all()
    assert_array_equal(DESIGNS.cross(population, population, np.random.default_rng(seed)), population)


def test_children_take_chips_from_both_parents(rng: np.random.Generator) -> None:
    networks = np.repeat(SPACE.sample_uniform(1, rng), 400, axis=0)
    mothers = np.column_stack([networks, np.tile(chips.LOW, (400, 1))])
    fathers = np.column_stack([networks, np.tile(chips.HIGH, (400, 1))])
    share = (DESIGNS.chips(DESIGNS.cross(mothers, fathers, rng)) == chips.LOW).mean(axis=0)
    assert ((share > 0.4) & (share < 0.6)).all()


@given(designs(1))
@settings(max_examples=40)
def test_neighbours_are_those_of_the_network_and_those_of_the_chip(population: Population) -> None:
    population.setflags(write=False)
    genome = population[0]
    near = DESIGNS.neighbours(genome)
    assert near.dtype == np.int16
    assert_array_equal(DESIGNS.check(near), near)
    assert len(np.unique(near, axis=0)) == len(near)
    same_chip = (near[:, GENES:] == genome[GENES:]).all(axis=1)
    assert_array_equal(near[same_chip, :GENES], SPACE.neighbours(genome[:GENES]))
    assert_array_equal(near[~same_chip, GENES:], chips.neighbours(genome[GENES:]))
    assert (near[~same_chip, :GENES] == genome[:GENES]).all()


@given(hnp.arrays(np.int64, (4, WIDTH), elements=st.integers(-(2**40), 2**40)))
def test_repair_makes_any_integers_a_design_and_rests_there(
    matrix: np.ndarray[tuple[int, int], np.dtype[np.int64]],
) -> None:
    repaired = DESIGNS.repair(matrix)
    assert_array_equal(DESIGNS.check(repaired), repaired)
    assert_array_equal(DESIGNS.repair(repaired), repaired)
    assert_array_equal(networks_of(repaired), SPACE.repair(matrix[:, :GENES]))


@given(designs())
def test_repair_leaves_designs_alone(population: Population) -> None:
    assert_array_equal(DESIGNS.repair(population), population)


@given(designs(3), st.integers(0, WIDTH - 1), st.sampled_from([-1, 200, 999]))
def test_a_gene_out_of_range_is_named(population: Population, gene: int, value: int) -> None:
    broken = population.astype(np.int64)
    broken[-1, gene] = value
    with pytest.raises(
        InvalidValueError, match=rf"genome {len(population) - 1}: gene \w+ is .* nearest valid value is"
    ):
        DESIGNS.check(broken)


def test_a_chip_gene_out_of_range_is_named_with_the_nearest_that_is_not(rng: np.random.Generator) -> None:
    population = DESIGNS.sample_uniform(3, rng)
    population[2, GENES + 1] = 10
    with pytest.raises(InvalidValueError, match=r"genome 2: gene TILE is 10, which is out of range; .* is 9"):
        DESIGNS.check(population)


def test_a_matrix_of_another_shape_or_kind_is_refused(rng: np.random.Generator) -> None:
    with pytest.raises(
        InvalidValueError, match=r"a genome of resnet-1\+chips-1 must have 32 genes, not shape \(2, 28\)"
    ):
        DESIGNS.check(SPACE.sample_uniform(2, rng))
    with pytest.raises(InvalidValueError, match=r"a genome of resnet-1 must have 28 genes, not shape \(2, 32\)"):
        SPACE.check(DESIGNS.sample_uniform(2, rng))
    with pytest.raises(InvalidValueError, match="whole numbers"):
        DESIGNS.check(np.zeros((2, WIDTH)))  # type: ignore[arg-type]


@given(designs(8))
def test_decoding_and_encoding_with_its_chip_is_the_identity(population: Population) -> None:
    architectures = DESIGNS.decode(population)
    assert architectures == SPACE.decode(networks_of(population))
    for row, architecture, chip in zip(population, architectures, to_hardware(DESIGNS.chips(population)), strict=True):
        assert_array_equal(DESIGNS.encode([architecture], chip), row[None])


def test_architectures_are_encoded_on_the_chip_that_is_given_or_else_on_pcm() -> None:
    architectures = list(REFERENCES.values())
    for chip, expected in ((None, [0, 9, 8, 8]), (HERMES, [1, 8, 8, 8]), (replace(HERMES, name="mine"), [1, 8, 8, 8])):
        found = DESIGNS.encode(architectures, chip)
        assert_array_equal(networks_of(found), SPACE.encode(architectures))
        assert (DESIGNS.chips(found) == expected).all()
        assert_array_equal(DESIGNS.check(found), found)
    assert DESIGNS.encode([]).shape == (0, WIDTH)


@pytest.mark.parametrize("chip", [IDEAL, Hardware(name="odd", tile_rows=100), Hardware(name="odd", drift=0.5)])
def test_a_chip_with_settings_beyond_the_genes_cannot_be_encoded(chip: Hardware) -> None:
    with pytest.raises(InvalidValueError, match=f"the chip '{chip.name}' has settings that chip genes cannot encode"):
        DESIGNS.encode(REFERENCES.values(), chip)


def test_networks_on_chips_within_bounds_are_all_of_these_designs(rng: np.random.Generator) -> None:
    networks = SPACE.sample_uniform(3, rng)
    everywhere = DESIGNS.on_chips(networks, DESIGNS.everything)
    assert everywhere.shape == (3 * MOST_CHIPS, WIDTH)
    assert_array_equal(DESIGNS.check(everywhere), everywhere)
    assert_array_equal(networks_of(everywhere), np.repeat(networks, MOST_CHIPS, axis=0))
    assert len(np.unique(everywhere, axis=0)) == len(everywhere)
    within = Bounds.of(DESIGNS.genes, {"TECH": (1, 2), "TILE": (9, 9), "ADC": (6, 8)})
    some = DESIGNS.on_chips(networks, within)
    assert_array_equal(some, everywhere[within.contain(everywhere)])
    assert len(some) == 3 * 2 * 5 * 3


@given(designs(6))
@settings(max_examples=30)
def test_a_design_costs_what_its_network_costs_on_its_chip(population: Population) -> None:
    described = chip_settings(DESIGNS, population, Hardware().description())
    together = crossbar_costs(DESIGNS.layers(population), described)
    budget = noise_budget(DESIGNS.layers(population), described)
    for row, chip in enumerate(to_hardware(DESIGNS.chips(population))):
        network = population[row : row + 1, :GENES]
        layers = SPACE.layers(network)
        alone = crossbar_costs(layers, chip.settings())
        assert [field[row] for field in astuple(together)] == [field[0] for field in astuple(alone)]
        noise = noise_budget(layers, chip.description())
        for of_all, of_one in zip(astuple(budget), astuple(noise), strict=True):
            assert_allclose(of_all[..., row], of_one[..., 0], rtol=1e-12)


@given(designs())
def test_costs_of_networks_do_not_depend_on_their_chips(population: Population) -> None:
    networks = networks_of(population)
    assert_array_equal(DESIGNS.params_and_macs(population), SPACE.params_and_macs(networks))
    assert_array_equal(DESIGNS.params(population), SPACE.params(networks))
    assert_array_equal(DESIGNS.macs(population), SPACE.macs(networks))
    assert_array_equal(DESIGNS.layers(population).peak_memory(), SPACE.layers(networks).peak_memory())


def test_without_co_design_the_chip_is_the_given_one(rng: np.random.Generator) -> None:
    given_ = HERMES.description()
    assert chip_settings(SPACE, SPACE.sample_uniform(4, rng), given_) is given_
    population = DESIGNS.sample_uniform(4, rng)
    own = chip_settings(DESIGNS, population, given_)
    assert own.keys() == given_.keys()
    described = [chip.description() for chip in to_hardware(DESIGNS.chips(population))]
    assert [float(np.asarray(own["hw_adc_bits"])[row]) for row in range(4)] == [one["hw_adc_bits"] for one in described]


def test_every_chip_of_the_space_can_be_encoded() -> None:
    architectures = list(REFERENCES.values())[:1]
    rows = np.concatenate([DESIGNS.encode(architectures, chip) for chip in to_hardware(every_chip())])
    assert_array_equal(DESIGNS.chips(rows), every_chip())
    assert from_hardware(to_hardware(DESIGNS.chips(rows)))[1].all()
