from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ohmnas.estimators.zero_cost import Batch, OnChip
from ohmnas.estimators.zero_cost.networks import Networks
from ohmnas.hardware import Hardware
from ohmnas.spaces.cells import CellSpace
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.testing.formula import SPACE


def weights(networks: Networks, genome: Population) -> torch.Tensor:
    with networks.of(genome[0]) as (network, _, _):
        return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def test_weights_follow_from_the_seed_and_the_genome_alone() -> None:
    rows = SPACE.sample(2, np.random.default_rng(0), max_params=3_000)
    networks, batch = Networks(SPACE, Batch.of_noise(SPACE, 4)), Batch.of_noise(SPACE, 4)
    first = weights(networks, rows[:1])
    state = torch.random.get_rng_state()
    weights(networks, rows[1:])
    assert torch.equal(state, torch.random.get_rng_state())
    torch.rand(5)
    assert torch.equal(first, weights(networks, rows[:1]))
    assert not torch.equal(first, weights(Networks(SPACE, batch, 1), rows[:1]))


@pytest.mark.parametrize("chip", [None, OnChip(Hardware())], ids=["exact", "on a chip"])
def test_a_repeated_draw_gives_the_same_network(chip: OnChip | None) -> None:
    """The last network is kept, because making one, and programming it most of all, takes longer than a measure."""
    (genome,) = SPACE.sample(1, np.random.default_rng(0), max_params=3_000)
    networks, found = Networks(SPACE, Batch.of_noise(SPACE, 4), chip=chip), []
    for one in (networks, networks, Networks(SPACE, Batch.of_noise(SPACE, 4), chip=chip)):
        with one.of(genome) as (network, images, _):
            found.append((network(images).detach(), torch.rand(3)))
            with torch.no_grad():
                for parameter in network.parameters():
                    parameter.zero_()
    for outputs, drawn in found[1:]:
        assert torch.equal(outputs, found[0][0])
        assert torch.equal(drawn, found[0][1])


def test_every_space_can_be_built() -> None:
    spaces: list[Space] = [SPACE, CellSpace((3, 8, 8), 5)]
    for space in spaces:
        networks = Networks(space, Batch.of_noise(space, 4))
        (genome,) = space.sample(1, np.random.default_rng(0), max_params=100_000)
        with networks.of(genome) as (network, images, labels):
            assert network.training
            assert network(images).shape == (4, space.classes)
            assert labels.shape == (4,)


def test_a_measure_draws_its_weights_first() -> None:
    (genome,) = SPACE.sample(1, np.random.default_rng(0), max_params=3_000)

    def ones(network: nn.Module) -> None:
        for parameter in network.parameters():
            nn.init.ones_(parameter)

    with Networks(SPACE, Batch.of_noise(SPACE, 4)).of(genome, ones) as (network, _, _):
        assert all((parameter == 1.0).all() for parameter in network.parameters())
