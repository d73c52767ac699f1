"""Each network fits into the shared weights, and each of its parameters has a place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.oneshot.places import sharing_of
from ohmnas.oneshot.shared import Pieces
from ohmnas.oneshot.supernet import skeleton
from ohmnas.spaces import ResNetSpace
from ohmnas.spaces.bounds import Bounds

from .conftest import tiny

SPACE = ResNetSpace((1, 8, 8), 10)


@given(st.integers(0, 2**31), st.sampled_from([3_000, 30_000, 300_000]), st.sampled_from([3e5, 3e6]))
def test_each_layer_fits_into_the_shared_weights(seed: int, max_params: float, max_macs: float) -> None:
    within = Bounds.of(SPACE.genes, {"WF": (1, 3)})
    sharing = sharing_of(SPACE, within, max_params, max_macs)
    population = SPACE.sample(
        8, np.random.default_rng(seed), max_params, max_macs, within=within, at_least=0, max_batches=1
    )
    for architecture in SPACE.decode(population):
        for place in sharing.places(architecture):
            for full in place.full:
                assert all(size <= most for size, most in zip(place.sizes, full, strict=True)), place


@pytest.mark.parametrize("seed", [0, 1])
def test_each_parameter_has_one_place(seed: int) -> None:
    plan = tiny()
    for genome in plan.space.sample(4, np.random.default_rng(seed), 4_000, within=plan.within):
        network, places = skeleton(plan, genome)
        pieces = Pieces(network, places)
        assert len(set(pieces.names)) == len(pieces.names)
        ranges = sum(not piece.dim() for piece in pieces.values())
        assert sum(piece.numel() for piece in pieces.values()) - ranges == plan.space.params(genome[None])[0]


def test_networks_share_the_blocks_that_they_have_in_common() -> None:
    sharing = sharing_of(SPACE, SPACE.everything, 1e5, 1e6)
    small, large = (
        {place.layer: place.full for place in sharing.places(SPACE.references[name])}
        for name in ("resnet8-w8", "resnet14-w8")
    )
    assert {**large, **small} == large
