"""Layers of plain chains: costs by hand, and a runtime that keeps a set of live tensors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ohmnas.costs import crossbar_costs, noise_budget
from ohmnas.hardware import Hardware
from ohmnas.spaces.layers import Layers

ROWS = ("count", "inputs", "outputs", "positions", "digital")


def chain(*kinds: tuple[int, int, int, int, int]) -> Layers:
    """One network: count, inputs, outputs, positions, digital of each kind."""
    return Layers(*(np.array([row], dtype=np.int64) for row in zip(*kinds, strict=True)))


@st.composite
def chains(draw: st.DrawFn) -> Layers:
    """Some networks; kinds that do not occur have no inputs either, or any."""
    n, k = draw(st.integers(1, 5)), draw(st.integers(2, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = rng.integers(0, 4, size=(n, k))
    count[:, 0] = count[:, -1] = 1
    others = [rng.integers(1, 50, size=(n, k)) for _ in range(4)]
    if draw(st.booleans()):
        others = [np.where(count > 0, matrix, 0) for matrix in others]
    return Layers(count, *others)


EXAMPLE = chain((1, 9, 8, 64, 16), (2, 72, 8, 64, 16), (0, 0, 0, 0, 0), (1, 8, 10, 1, 10))


def test_costs_by_hand() -> None:
    assert EXAMPLE.params().tolist() == [72 + 16 + 2 * (576 + 16) + 80 + 10]
    assert EXAMPLE.macs().tolist() == [64 * 72 + 2 * 64 * 576 + 80]
    assert EXAMPLE.layers().tolist() == [4]
    assert EXAMPLE.size(8).tolist() == [72 + 2 * 576 + 80 + 4 * (16 + 32 + 10)]
    assert EXAMPLE.size(3).tolist() == [-(-(72 + 2 * 576 + 80) * 3 // 8) + 4 * 58]
    assert EXAMPLE.peak_memory().tolist() == [2 * 8 * 64]
    assert EXAMPLE.tiling().steps.tolist() == [64 + 128 + 1]


def test_a_chain_carries_all_through_every_layer() -> None:
    flow = EXAMPLE.flow()
    assert flow.through[:, 0].tolist() == [1, 2, 0, 1]
    assert flow.depth.tolist() == [4]
    assert flow.narrowest.tolist() == [8]
    assert flow.blocks == 2
    assert flow.raw.tolist() == [0]


@given(chains())
def test_the_peak_is_that_of_a_runtime_with_live_tensors(layers: Layers) -> None:
    for row, peak in enumerate(layers.peak_memory().tolist()):
        alive = highest = 0
        for count, outputs, positions in zip(
            layers.count[row], layers.outputs[row], layers.positions[row], strict=True
        ):
            for _ in range(int(count)):
                made = int(outputs * positions)
                highest = max(highest, alive + made)
                alive = made
        assert peak == highest


@given(chains())
def test_each_network_costs_what_it_costs_alone(layers: Layers) -> None:
    chip = Hardware().description()
    for row in range(len(layers.count)):
        alone = Layers(*(getattr(layers, name)[row : row + 1] for name in ROWS))
        for name in ("params", "macs", "layers", "size", "peak_memory"):
            assert getattr(layers, name)()[row] == getattr(alone, name)()[0]
        for of in (crossbar_costs, noise_budget):
            many, one = of(layers, chip), of(alone, chip)
            for field in many.__dataclass_fields__:
                assert_array_equal(getattr(many, field)[..., row], getattr(one, field)[..., 0])


@given(chains())
def test_layers_that_do_not_occur_make_no_noise(layers: Layers) -> None:
    """Whatever their inputs: a space need not fill them in."""
    filled = Layers(layers.count, *(np.maximum(getattr(layers, name), 1) for name in ROWS[1:]))
    chip = Hardware().description()
    one, other = noise_budget(layers, chip), noise_budget(filled, chip)
    for field in ("converters", "weights", "offset", "depth"):
        assert np.isfinite(getattr(one, field)).all()
        assert_array_equal(getattr(one, field), getattr(other, field))


@pytest.mark.parametrize("name", ["params", "macs", "layers", "size", "peak_memory"])
def test_no_networks_cost_nothing(name: str) -> None:
    none = Layers(*(np.zeros((0, 3), dtype=np.int64) for _ in ROWS))
    assert getattr(none, name)().shape == (0,)
    assert none.flow().through.shape == (3, 0)
    assert noise_budget(none, Hardware().description()).blocks.shape == (3, 1, 0)
