from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.costs.crossbar import crossbar_costs
from ohmnas.costs.placement import placements
from ohmnas.hardware import Hardware
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace
from tests.spaces.conftest import populations

sides = st.sampled_from([1, 40, 128, 512])
chips = st.builds(Hardware, tile_rows=sides, tile_columns=sides, adc_bits=st.sampled_from([0, 5, 8]))


@given(populations(most=1), chips)
def test_placements_add_up_to_the_costs(population: Population, chip: Hardware) -> None:
    layers = ResNetSpace((3, 9, 7), 10).layers(population)
    placed, whole = placements(layers, chip.settings()), crossbar_costs(layers, chip.settings())
    assert sum(one.tiles for one in placed) == whole.tiles[0]
    assert sum(one.params for one in placed) == layers.params()[0]
    assert sum(one.macs for one in placed) == layers.macs()[0]
    assert sum(one.energy for one in placed) == pytest.approx(whole.energy[0])
