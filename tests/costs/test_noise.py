"""The noise budget against a walk through each network, and against what the properties of chips demand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from ohmnas.costs.noise import RANGE_RMS, noise_budget
from ohmnas.hardware import HERMES, IDEAL, Hardware
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock

SHAPE = (3, 9, 6)
SPACE = ResNetSpace(SHAPE, 10)
PCM = Hardware()
populations = st.integers(0, 2**32 - 1).map(lambda seed: SPACE.sample_uniform(8, np.random.default_rng(seed)))


def _inside(kernel: int, height: int, width: int) -> float:
    """Count the taps of a kernel that lie inside, at every pixel."""
    reach = range(-(kernel // 2), kernel // 2 + 1)
    taps = [
        0 <= y + dy < height and 0 <= x + dx < width for y in range(height) for x in range(width) for dy in reach
        for dx in reach
    ]  # fmt: skip
    return sum(taps) / len(taps)


def _layer(chip: Hardware, inputs: int, inside: float, rectified: bool = True) -> np.ndarray:
    parts = math.ceil(inputs / chip.tile_rows)
    spread = 2 * math.log(inputs / parts) + 2
    signal = inputs * inside / spread / RANGE_RMS**2
    adc = chip.adc_bound / (2 ** (chip.adc_bits - 1) - 1) if chip.adc_bits else 0.0
    dac = RANGE_RMS / (2 ** (chip.dac_bits - 1) - 1) if chip.dac_bits else 0.0
    converters = parts * (chip.output_noise**2 + adc**2 / 12) / signal + dac**2 / 12
    return np.array([converters, spread, inputs * inside * spread / math.pi * rectified])


def _walk(network: Architecture, chip: Hardware) -> tuple[np.ndarray, float, float]:
    """Residual block by residual block."""
    channels, height, width = SHAPE
    kernel = network.stem_kernel
    noise = _layer(chip, channels * kernel**2, _inside(kernel, height, width), rectified=False)
    power, depth, narrowest, into = 1.0, 1.0, math.inf, network.stem_channels
    for index, (block, out) in enumerate(zip(network.blocks, network.channels, strict=True)):
        if index:
            height, width = -(-height // 2), -(-width // 2)
        inside = _inside(3, height, width)
        basic = block.conv_type == "A"
        inner = out if basic else max(out // 4, 1)
        for repeat in range(block.residual_blocks):
            if basic:
                body = _layer(chip, 9 * into, inside) + _layer(chip, 9 * inner, inside)
            else:
                body = _layer(chip, into, 1.0) + _layer(chip, 9 * inner, inside) + _layer(chip, inner, 1.0)
            converted = into != out or (index > 0 and repeat == 0)
            before = (1.0 if repeat == 0 else power) if block.skip else 0.0
            share = block.branches / (before + block.branches)
            noise += share * body
            if block.skip and converted:
                noise += (1 - share) * _layer(chip, into, 1.0)
            power = (before + block.branches) / 2
            depth += share * (2 if basic else 3)
            if not block.skip:
                narrowest = min(narrowest, inner * block.branches)
            into = out
    return noise + _layer(chip, into, 1.0), depth + 1, narrowest


@given(populations)
@settings(max_examples=20)
@pytest.mark.parametrize("chip", [Hardware(), HERMES, Hardware(tile_rows=40, adc_bits=5), IDEAL], ids=lambda c: c.name)
def test_the_budget_is_that_of_a_walk_through_the_network(chip: Hardware, population: np.ndarray) -> None:
    found = noise_budget(SPACE.layers(population), chip.settings())
    for row, network in enumerate(SPACE.decode(population)):
        noise, depth, narrowest = _walk(network, chip)
        assert_allclose([found.converters[row], found.weights[row], found.offset[row]], noise, rtol=1e-9)
        assert_allclose([found.depth[row], found.narrowest[row]], [depth, narrowest])


def test_each_network_can_have_its_own_chip(rng: np.random.Generator) -> None:
    population = SPACE.sample_uniform(2, rng)
    chips = (Hardware(), HERMES)
    both = {name: np.array([chip.settings()[name] for chip in chips]) for name in chips[0].settings()}
    found = noise_budget(SPACE.layers(population), both)
    for row, chip in enumerate(chips):
        alone = noise_budget(SPACE.layers(population[row : row + 1]), chip.settings())
        assert found.converters[row] == alone.converters[0]


def _budget(network: Architecture, chip: Hardware = PCM) -> float:
    return float(noise_budget(SPACE.layers(SPACE.encode([network])), chip.settings()).converters[0])


def test_noise_grows_with_depth_and_falls_with_bits_width_and_skips() -> None:
    plain = Architecture(16, 3, (MainBlock(6, 1, "A", 1, skip=False),))
    assert _budget(replace(plain, blocks=(replace(plain.blocks[0], residual_blocks=12),))) > 1.5 * _budget(plain)
    assert _budget(replace(plain, blocks=(replace(plain.blocks[0], skip=True),))) < _budget(plain)
    assert _budget(replace(plain, stem_channels=32)) < _budget(plain)
    assert _budget(plain, Hardware(adc_bits=6)) > _budget(plain) > _budget(plain, Hardware(output_noise=0.01))
    assert _budget(plain, IDEAL) == 0.0


@given(populations)
def test_the_noise_of_blocks_is_less_than_the_total(population: np.ndarray) -> None:
    found = noise_budget(SPACE.layers(population), PCM.settings())
    assert found.blocks.shape == (3, 5, len(population))
    for whole, blocks in zip((found.converters, found.weights, found.offset), found.blocks, strict=True):
        assert (blocks.sum(axis=0) < whole).all()
        assert ([[block is not None for block in _five(n)] for n in SPACE.decode(population)] == (blocks > 0).T).all()


def _five(network: Architecture) -> list[MainBlock | None]:
    return [*network.blocks, *[None] * (5 - len(network.blocks))]


def test_more_weights_make_chips_more_similar() -> None:
    plain = Architecture(16, 3, (MainBlock(6, 1, "A", 1, skip=False),))
    wide = replace(plain, stem_channels=64)
    one, other = (noise_budget(SPACE.layers(SPACE.encode([network])), PCM.settings()) for network in (plain, wide))
    assert other.weights_spread[0] / other.weights[0] < 0.6 * one.weights_spread[0] / one.weights[0]


def test_no_networks_have_no_budget() -> None:
    assert (
        len(
            noise_budget(
                SPACE.layers(SPACE.sample_uniform(3, np.random.default_rng(0))[:0]), Hardware().settings()
            ).depth
        )
        == 0
    )
