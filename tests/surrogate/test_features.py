"""Features against what the decoded architecture says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from ohmnas.hardware import IDEAL, Hardware
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import genes
from ohmnas.spaces.resnet.architecture import Architecture
from ohmnas.surrogate.features import (
    GROUPS,
    NOISE_NAMES,
    feature_groups,
    feature_matrix,
    feature_names,
    structure_names,
)

from .conftest import CHIP, SPACE

populations = st.integers(0, 2**32 - 1).map(lambda seed: SPACE.sample_uniform(12, np.random.default_rng(seed)))


def derived(network: Architecture) -> dict[str, float]:
    """What the names promise, read off the architecture; costs aside."""
    repeats = [block.residual_blocks for block in network.blocks]
    total = sum(repeats)
    longest = run = 0
    for block in network.blocks:
        layers = block.residual_blocks * (2 if block.conv_type == "A" else 3)
        run = 0 if block.skip else run + layers
        longest = max(longest, run)
    channels = dict.fromkeys((f"log2_channels{index + 1}" for index in range(genes.BLOCKS)), 0.0)
    channels.update({f"log2_channels{index + 1}": float(np.log2(c)) for index, c in enumerate(network.channels)})
    return {
        "depth": network.depth,
        "residual_blocks": total,
        "bottleneck_share": sum(b.residual_blocks for b in network.blocks if b.conv_type == "B") / total,
        "skip_share": sum(b.residual_blocks for b in network.blocks if b.skip) / total,
        "longest_run_without_skip": longest,
        "mean_branches": sum(b.residual_blocks * b.branches for b in network.blocks) / total,
        **channels,
    }


@given(populations)
@settings(max_examples=20)
def test_derived_features_match_the_architecture(population: Population) -> None:
    features = feature_matrix(SPACE, population, CHIP)
    names = feature_names(SPACE, CHIP)
    for row, network in zip(features, SPACE.decode(population), strict=True):
        expected = derived(network)
        found = [row[names.index(name)] for name in expected]
        assert_allclose(found, list(expected.values()), rtol=1e-6)


@given(populations)
@settings(max_examples=20)
def test_cost_features_are_logarithms_of_the_exact_costs(population: Population) -> None:
    features = dict(zip(feature_names(SPACE, CHIP), feature_matrix(SPACE, population, CHIP).T, strict=True))
    layers = SPACE.layers(population)
    assert_allclose(2.0 ** features["log2_params"].astype(np.float64), SPACE.params(population), rtol=1e-4)
    assert_allclose(2.0 ** features["log2_macs"].astype(np.float64), SPACE.macs(population), rtol=1e-4)
    assert_allclose(2.0 ** features["log2_layers"].astype(np.float64), layers.layers(), rtol=1e-4)
    assert_allclose(features["log2_macs"] - features["log2_outputs"], features["log2_macs_per_output"], atol=1e-4)


@given(populations)
@settings(max_examples=20)
def test_first_features_are_the_genes_and_last_ones_the_chip(population: Population) -> None:
    features = feature_matrix(SPACE, population, CHIP)
    assert_array_equal(features[:, : genes.GENES], population)
    assert_array_equal(
        features[:, -len(CHIP) :], np.tile(np.array(list(CHIP.values()), dtype=np.float32), (len(population), 1))
    )


@given(populations)
@settings(max_examples=20)
def test_features_of_a_population_are_those_of_its_rows(population: Population) -> None:
    together = feature_matrix(SPACE, population, CHIP)
    alone = [feature_matrix(SPACE, population[row : row + 1], CHIP) for row in range(len(population))]
    assert_array_equal(together, np.concatenate(alone))


@given(populations)
@settings(max_examples=20)
def test_features_are_finite_and_different_networks_have_different_ones(population: Population) -> None:
    features = feature_matrix(SPACE, population, CHIP)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert len(np.unique(features, axis=0)) == len(np.unique(population, axis=0))


def test_every_column_has_its_own_name(rng: np.random.Generator) -> None:
    names = feature_names(SPACE, CHIP)
    assert len(names) == len(set(names)) == genes.GENES + len(structure_names(SPACE)) + len(NOISE_NAMES) + len(CHIP)
    assert feature_matrix(SPACE, SPACE.sample_uniform(3, rng), CHIP).shape == (3, len(names))


def test_every_feature_has_its_group() -> None:
    names = [*feature_names(SPACE, CHIP), "score"]
    groups = feature_groups(SPACE, len(names), stacked=1)
    for group, members in zip(
        GROUPS, (genes.GENE_NAMES, structure_names(SPACE), NOISE_NAMES, [*CHIP], ["score"]), strict=True
    ):
        found = [name for name, number in zip(names, groups, strict=True) if GROUPS[number] == group]
        assert found == list(members)


@pytest.mark.parametrize("chip", [IDEAL, Hardware(g_max=10.0), Hardware(drift_compensation=False)])
def test_chips_that_differ_have_different_features(chip: Hardware, rng: np.random.Generator) -> None:
    population = SPACE.sample_uniform(4, rng)
    one, other = feature_matrix(SPACE, population, CHIP), feature_matrix(SPACE, population, chip.description())
    differ = {name for name, column in zip(feature_names(SPACE, CHIP), (one != other).T, strict=True) if column.any()}
    assert differ - set(NOISE_NAMES) == {name for name, value in chip.description().items() if value != CHIP[name]}
    assert differ - set(NOISE_NAMES)


def test_noise_features_add_up(rng: np.random.Generator) -> None:
    population = SPACE.sample_uniform(50, rng)
    for technology in ("pcm", "reram"):
        chip = Hardware(technology=technology).description()
        values = dict(
            zip(feature_names(SPACE, chip), feature_matrix(SPACE, population, chip).T.astype(np.float64), strict=True)
        )
        converters, weights, offset = (
            2.0 ** values[f"log2_{name}_noise"] for name in ("converter", "weight", "offset")
        )
        for time in ("1d", "1mo"):
            total = converters + chip[f"device_spread_{time}"] ** 2 * weights + chip["device_offset_1d"] ** 2 * offset
            assert_allclose(2.0 ** values[f"log2_noise_{time}"], total, rtol=1e-4)


def test_each_row_can_have_its_own_chip(rng: np.random.Generator) -> None:
    population = SPACE.sample_uniform(2, rng)
    ideal = IDEAL.description()
    chips = {name: np.array([CHIP[name], ideal[name]]) for name in CHIP}
    expected = [feature_matrix(SPACE, population[:1], CHIP), feature_matrix(SPACE, population[1:], ideal)]
    assert_array_equal(feature_matrix(SPACE, population, chips), np.concatenate(expected))
