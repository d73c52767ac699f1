"""Costs on tiles against a walk through each network, and against the tiles of the simulated chip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from ohmnas.costs.conversion import Conversion
from ohmnas.costs.crossbar import CrossbarCosts, conversion_joules, crossbar_costs, mvm_seconds
from ohmnas.hardware import HERMES, IDEAL, Hardware
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock
from ohmnas.spaces.resnet.references import reference
from tests.spaces.conftest import populations

SHAPE = (3, 9, 7)
CLASSES = 10
SPACE = ResNetSpace(SHAPE, CLASSES)
chips = st.builds(
    Hardware,
    tile_rows=st.sampled_from([1, 40, 128, 256, 512]),
    tile_columns=st.sampled_from([1, 30, 128, 256, 512]),
    dac_bits=st.sampled_from([0, 4, 8, 10]),
    adc_bits=st.sampled_from([0, 5, 8, 12]),
)


def costs(population: Population, chip: Hardware, shape: tuple[int, int, int] = SHAPE) -> CrossbarCosts:
    return crossbar_costs(ResNetSpace(shape, CLASSES).layers(population), chip.settings())


@dataclass(frozen=True)
class Matrix:
    """One weight matrix, or several that run at the same time."""

    inputs: int
    outputs: int
    positions: int
    copies: int = 1
    waited_for: bool = True


def matrices(network: Architecture) -> Iterator[Matrix]:
    """Layer by layer."""
    channels, height, width = SHAPE
    yield Matrix(channels * network.stem_kernel**2, network.stem_channels, height * width)
    into = network.stem_channels
    for index, (block, out) in enumerate(zip(network.blocks, network.channels, strict=True)):
        branches, quarter = block.branches, max(out // 4, 1)
        for repeat in range(block.residual_blocks):
            strided = index > 0 and repeat == 0
            before = height * width
            if strided:
                height, width = -(-height // 2), -(-width // 2)
            area = height * width
            if block.conv_type == "A":
                yield Matrix(9 * into, out * branches, area)
                yield Matrix(9 * out, out, area, branches)
            else:
                yield Matrix(into, quarter * branches, before)
                yield Matrix(9 * quarter, quarter, area, branches)
                yield Matrix(quarter, out, area, branches)
            if block.skip and (strided or into != out):
                yield Matrix(into, out, area, waited_for=False)
            into = out
    yield Matrix(into, CLASSES, 1)


def pieces(size: int, largest: int) -> list[int]:
    """What is left when as much as fits is cut off again and again."""
    cut = []
    while size:
        cut.append(min(size, largest))
        size -= cut[-1]
    return cut


def walked(network: Architecture, chip: Hardware) -> tuple[float, ...]:
    """All costs, matrix by matrix."""
    tiles = cells = mvms = conversions = positions = 0
    for matrix in matrices(network):
        positions += matrix.positions if matrix.waited_for else 0
        columns = pieces(matrix.outputs, chip.tile_columns)
        parts = pieces(matrix.inputs, chip.tile_rows)
        own = matrix.copies * len(columns) * len(parts)
        tiles += own
        cells += matrix.copies * sum(columns) * sum(parts)
        mvms += matrix.positions * own
        conversions += matrix.positions * matrix.copies * sum(columns) * len(parts)
    energy = conversions * conversion_joules() * float(Conversion().relative_energy(chip.adc_bits))
    latency = positions * mvm_seconds() * 2.0 ** ((chip.dac_bits or 8) - 8)
    there = tiles * chip.tile_rows * chip.tile_columns
    return tiles, there, cells / there, mvms, conversions, energy, latency


@given(populations(most=4))
@settings(max_examples=25)
@pytest.mark.parametrize(
    "chip",
    [HERMES, IDEAL, Hardware(tile_rows=70, tile_columns=90, dac_bits=6, adc_bits=10)],
    ids=["hermes", "ideal", "odd"],
)
def test_costs_are_those_of_a_walk_through_the_network(chip: Hardware, population: Population) -> None:
    found = costs(population, chip)
    for field in (found.tiles, found.cells, found.mvms, found.conversions):
        assert field.dtype == np.int64
    for row, network in enumerate(SPACE.decode(population)):
        assert_allclose([field[row] for field in astuple(found)], walked(network, chip), rtol=1e-12)


def test_tiles_of_a_network_by_hand() -> None:
    # On tiles of 32 x 16, for 1 x 8 x 8: inputs x outputs at positions.
    # stem                              9 x 8 at 64           1 tile
    # first layers, side by side       72 x 24 at 64          3 x 2 tiles
    # last layers of three branches    72 x 8 at 64, thrice   3 tiles each
    # linear layer                      8 x 10 at 1           1 tile
    network = Architecture(8, 3, (MainBlock(1, 3, "A", 1, skip=True),))
    found = costs(SPACE.encode([network]), Hardware(tile_rows=32, tile_columns=16), (1, 8, 8))
    assert found.tiles.tolist() == [1 + 6 + 9 + 1]
    assert found.cells.tolist() == [17 * 32 * 16]
    assert found.mvms.tolist() == [64 * (1 + 6 + 9) + 1]
    assert found.conversions.tolist() == [64 * (8 + 3 * 24 + 3 * 3 * 8) + 10]
    assert found.utilisation.tolist() == [(9 * 8 + 72 * 24 + 3 * 72 * 8 + 8 * 10) / (17 * 32 * 16)]
    assert_allclose(found.latency, (64 + 64 + 64 + 1) * 133e-9, rtol=1e-3)


@pytest.mark.parametrize(
    "chip", [Hardware(), HERMES, Hardware(tile_rows=33, tile_columns=20)], ids=["pcm", "hermes", "small"]
)
def test_tiles_are_those_of_the_simulated_chip(chip: Hardware) -> None:
    pytest.importorskip("torch")
    from ohmnas.analog.convert import analog_layers, to_analog
    from ohmnas.spaces.resnet.network import build

    population = SPACE.sample(10, np.random.default_rng(3), max_params=2e5)
    networks = [*SPACE.decode(population), reference("resnet20")]
    found = costs(SPACE.encode(networks), chip)
    for row, network in enumerate(networks):
        layers = [layer.mapping for layer in analog_layers(to_analog(build(network, SHAPE, CLASSES), chip))]
        assert found.tiles[row] == sum(mapping.tiles for mapping in layers)
        held = sum(mapping.inputs * mapping.outputs for mapping in layers)
        assert found.utilisation[row] == held / (found.tiles[row] * chip.tile_rows * chip.tile_columns)


@pytest.mark.parametrize(("phases", "seconds", "joules"), [(1, 132.9e-9, 52.46e-12), (4, 520.9e-9, 206.5e-12)])
def test_constants_are_those_of_the_chip_that_reported_them(phases: int, seconds: float, joules: float) -> None:
    # 64 x 2 x 256 x 256 operations at 63.1e12 (16.1e12) a second; 2 x 256 at 9.76e12 (2.48e12) a joule
    assert_allclose([mvm_seconds(phases), conversion_joules(phases)], [seconds, joules], rtol=1e-3)
    population = SPACE.encode([reference("resnet20")])
    layers = SPACE.layers(population)
    one, other = (crossbar_costs(layers, HERMES.settings(), Conversion(phases=n)) for n in (1, phases))
    assert_allclose(other.energy / one.energy, joules / 52.46e-12, rtol=1e-3)
    assert_allclose(other.latency / one.latency, seconds / 132.9e-9, rtol=1e-3)


def test_energy_is_that_of_the_multiplications_whose_outputs_are_converted() -> None:
    found = costs(SPACE.encode([reference("resnet20")]), HERMES)
    assert_allclose(found.energy, found.conversions * conversion_joules())


@given(populations(), chips)
def test_utilisation_is_a_share(population: Population, chip: Hardware) -> None:
    found = costs(population, chip)
    assert (found.utilisation > 0).all()
    assert (found.utilisation <= 1).all()
    if chip.tile_rows == chip.tile_columns == 1:
        assert (found.utilisation == 1).all()


@given(populations(), chips, chips)
def test_used_cells_equal_the_weights_for_any_tiles(population: Population, chip: Hardware, other: Hardware) -> None:
    one, two = costs(population, chip), costs(population, other)
    assert_allclose(one.cells * one.utilisation, two.cells * two.utilisation)
    single = costs(population, Hardware(tile_rows=1, tile_columns=1))
    assert (single.cells == np.round(one.cells * one.utilisation)).all()
    assert (one.cells >= single.cells).all()


@given(populations(), chips, st.integers(1, 512), st.integers(1, 512))
def test_smaller_tiles_are_never_fewer(population: Population, chip: Hardware, rows: int, columns: int) -> None:
    smaller = replace(chip, tile_rows=min(rows, chip.tile_rows), tile_columns=min(columns, chip.tile_columns))
    many, few = costs(population, smaller), costs(population, chip)
    assert (many.tiles >= few.tiles).all()
    assert (many.mvms >= few.mvms).all()
    assert (many.conversions >= few.conversions).all()
    assert (many.energy >= few.energy).all()
    assert (many.latency == few.latency).all()


@given(populations(), chips, st.integers(2, 16), st.integers(2, 16))
def test_more_bits_never_cost_less(population: Population, chip: Hardware, some: int, other: int) -> None:
    low, high = sorted((some, other))
    fewer, more = (costs(population, replace(chip, dac_bits=bits, adc_bits=bits)) for bits in (low, high))
    assert (more.energy >= fewer.energy).all()
    assert_allclose(more.latency, fewer.latency * 2.0 ** (high - low))


def test_ideal_converters_count_as_eight_bits(rng: np.random.Generator) -> None:
    population = SPACE.sample_uniform(5, rng)
    eight, ideal = (costs(population, Hardware(dac_bits=bits, adc_bits=bits)) for bits in (8, 0))
    assert_allclose(astuple(eight), astuple(ideal), rtol=0)


@given(st.integers(0, 2**32 - 1), st.lists(chips, min_size=1, max_size=6))
def test_each_network_can_have_its_own_chip(seed: int, own: list[Hardware]) -> None:
    population = SPACE.sample_uniform(len(own), np.random.default_rng(seed))
    described = {name: np.array([chip.settings()[name] for chip in own]) for name in HERMES.settings()}
    together = crossbar_costs(SPACE.layers(population), described)
    for row, chip in enumerate(own):
        alone = costs(population[row : row + 1], chip)
        assert [field[row] for field in astuple(together)] == [field[0] for field in astuple(alone)]


def test_the_largest_network_on_single_cells_does_not_overflow() -> None:
    largest = SPACE.repair(np.full((1, 28), 999))
    space = replace(SPACE, input_shape=(3, 224, 224), classes=1000)
    layers = space.layers(largest)
    found = crossbar_costs(layers, Hardware(tile_rows=1, tile_columns=1).settings())
    assert found.cells[0] == found.tiles[0] < crossbar_costs(layers, HERMES.settings()).cells[0]
    assert found.mvms[0] == space.macs(largest)[0]  # one cell a tile: each multiplication is one


def test_no_networks_cost_nothing() -> None:
    assert all(field.shape == (0,) for field in astuple(costs(SPACE.encode([]), HERMES)))
