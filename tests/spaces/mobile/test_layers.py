"""Costs against the network that torch builds, and against the tiles of the simulated chip."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ohmnas.analog.convert import analog_layers, to_analog
from ohmnas.costs import crossbar_costs
from ohmnas.costs.placement import placements
from ohmnas.hardware import Hardware
from ohmnas.spaces.genes import Population
from ohmnas.spaces.mobile import MobileArchitecture, MobileSpace, MobileStage
from ohmnas.spaces.mobile.layers import layers
from ohmnas.spaces.mobile.network import build

from .conftest import SPACE, populations


def counted(one: MobileArchitecture, shape: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Parameters, MACs, weight layers and positions of the built network."""
    with torch.device("meta"):  # shapes without numbers
        network = build(one, shape, 4).eval()
    macs = layers = steps = 0

    def count(module: nn.Module, _: object, output: Tensor) -> None:
        nonlocal macs, layers, steps
        assert isinstance(module, nn.Conv2d | nn.Linear)
        positions = output[0, 0].numel() if isinstance(module, nn.Conv2d) else 1
        macs, layers, steps = macs + module.weight.numel() * positions, layers + 1, steps + positions

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    with torch.no_grad():
        network(torch.zeros(1, *shape, device="meta"))
    return sum(p.numel() for p in network.parameters()), macs, layers, steps


@given(populations(most=2), st.sampled_from([(3, 12, 10), (1, 8, 8), (2, 1, 5)]))
@settings(max_examples=25, deadline=None)
def test_costs_are_those_of_the_built_network(population: Population, shape: tuple[int, int, int]) -> None:
    table = layers(population, shape, 4)
    found = zip(table.params(), table.macs(), table.layers(), table.tiling().steps, strict=True)
    for costs, one in zip(found, SPACE.decode(population), strict=True):
        assert costs == counted(one, shape)


@pytest.mark.parametrize(
    "chip", [Hardware(), Hardware(tile_rows=100, tile_columns=30), Hardware(tile_rows=20, tile_columns=7)]
)
def test_tiles_are_those_of_the_simulated_chip(chip: Hardware) -> None:
    population = SPACE.sample(6, np.random.default_rng(0), max_params=1e5)
    table = SPACE.layers(population)
    found = crossbar_costs(table, chip.settings())
    for row, one in enumerate(SPACE.decode(population)):
        mappings = [layer.mapping for layer in analog_layers(to_analog(build(one, (3, 12, 10), 4), chip))]
        assert found.tiles[row] == sum(mapping.tiles for mapping in mappings)
        placed = placements(SPACE.layers(population[row : row + 1]), chip.settings())
        assert sum(one.tiles for one in placed) == found.tiles[row]


def test_a_depthwise_layer_lies_on_the_diagonal_of_its_tiles() -> None:
    # 64 channels of 3x3 on 512 x 512: 512 // 9 = 56 channels a tile, so two tiles; on 64 rows, 7 channels a tile
    network = MobileArchitecture(8, 64, 3, 1, 0, (MobileStage(1, 0, 3, 64, 1),))
    table = SPACE.layers(SPACE.encode([network]))
    for rows, tiles in ((512, 2), (64, 10)):
        found = crossbar_costs(table, Hardware(tile_rows=rows).settings())
        assert found.tiles.tolist() == [1 + tiles + 1 + 1]
        weights = 27 * 64 + 9 * 64 + 64 * 64 + 64 * 4
        assert found.utilisation.tolist() == [weights / ((3 + tiles) * rows * 512)]
        assert found.conversions.tolist() == [120 * 3 * 64 + 4]  # one for each output at each position


def test_power_is_shared_between_a_branch_and_what_it_adds() -> None:
    first = MobileStage(3, 2, 3, 16, 1)
    flow = SPACE.layers(SPACE.encode([MobileArchitecture(8, 8, 3, 1, 0, (first,))])).flow()
    # the first block changes the width; the others add 1 to powers of 1 and 2
    assert flow.through[1:8, 0].tolist() == pytest.approx([1, 1 / 2 + 1 / 3, 1, 1 / 2 + 1 / 3, 1, 1 / 2 + 1 / 3, 0])
    assert flow.depth[0] == pytest.approx(2 + 3 * (1 + 1 / 2 + 1 / 3))
    assert flow.narrowest.tolist() == [16.0]


@given(populations(most=4))
@settings(max_examples=20)
def test_inputs_inside_the_image_are_a_share_of_all(population: Population) -> None:
    table = SPACE.layers(population)
    flow = table.flow()
    assert (flow.inside <= table.inputs.T).all()
    assert ((flow.through > 0) == (table.count.T > 0)).all()


def test_the_largest_network_does_not_overflow() -> None:
    space = MobileSpace((3, 224, 224), 1000)
    largest = space.repair(np.full((1, 41), 9999))
    params, macs, *_ = counted(space.decode(largest)[0], (3, 224, 224))
    more = 1000 - 4  # classes
    assert space.params(largest)[0] == params + more * (4096 + 1)
    assert space.macs(largest)[0] == macs + more * 4096
