from __future__ import annotations

import pytest
import torch
from aihwkit.simulator.configs import InferenceRPUConfig
from aihwkit.simulator.tiles.array import TileModuleArray

from ohmnas.analog.mapping import Mapping
from ohmnas.hardware import Hardware
from ohmnas.hardware.tiles import split_sizes


@pytest.mark.parametrize(("outputs", "inputs"), [(10, 700), (600, 30), (513, 513)])
def test_layers_are_cut_as_aihwkit_cuts_them(outputs: int, inputs: int) -> None:
    theirs = TileModuleArray(outputs, inputs, InferenceRPUConfig())
    assert theirs.in_sizes == split_sizes(inputs, 512)
    assert theirs.out_sizes == split_sizes(outputs, 512)


def test_every_group_and_part_lies_on_its_own_tile() -> None:
    weight = torch.randn(12, 5, 3, 3)
    mapping = Mapping.of(weight, 3, Hardware(tile_rows=20, tile_columns=2))
    tiles = mapping.tile_of_column()
    assert tiles.shape == (12, 3)  # 45 inputs on rows of 20 are 3 parts
    assert mapping.tiles == 3 * 3 * 2
    assert sorted(set(tiles.flatten().tolist())) == list(range(mapping.tiles))
    counts = torch.bincount(tiles.flatten())
    assert counts.max() <= 2


def test_channels_of_a_depthwise_layer_share_tiles() -> None:
    """On 40 rows, four channels of 3x3 lie on a diagonal: 10 channels need three tiles, filled evenly."""
    mapping = Mapping.of(torch.randn(10, 1, 3, 3), 10, Hardware(tile_rows=40, tile_columns=30))
    assert mapping.tiles == 3
    assert mapping.tile_of_column().tolist() == [[0]] * 4 + [[1]] * 3 + [[2]] * 3
    assert mapping.clipped_groups == 1
    alone = Mapping.of(torch.randn(10, 1, 3, 3), 10, Hardware(tile_rows=5))
    assert (alone.tiles, alone.clipped_groups) == (20, 10)


def test_the_column_scale_is_the_largest_weight_of_the_part() -> None:
    weight = torch.randn(4, 10)
    mapping = Mapping.of(weight, 1, Hardware(tile_rows=6))
    scale = mapping.column_scale(weight)
    assert torch.equal(scale[:, 0], weight[:, :5].abs().amax(1))
    assert torch.equal(scale[:, 1], weight[:, 5:].abs().amax(1))
    assert torch.equal(mapping.expand(scale)[:, 4:6], scale)


def test_a_column_of_zeros_has_a_scale_above_zero() -> None:
    mapping = Mapping.of(torch.zeros(2, 3), 1, Hardware())
    assert (mapping.column_scale(torch.zeros(2, 3)) > 0).all()
