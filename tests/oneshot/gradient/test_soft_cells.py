from __future__ import annotations

import numpy as np
import pytest
import torch

from ohmnas.analog.convert import to_analog
from ohmnas.hardware import hardware
from ohmnas.oneshot.gradient.network import Gate, fixed_gates
from ohmnas.oneshot.gradient.soft_cells import SoftCells
from ohmnas.spaces.cells.genes import canonical, every
from ohmnas.spaces.cells.layers import CELLS, CHANNELS

from .conftest import SPACE

CELLS_TO_TRY = canonical(every())[[31, 4021, 9999, 15624]]


@pytest.mark.parametrize("row", range(len(CELLS_TO_TRY)))
def test_one_path_of_the_full_size_has_the_parameters_of_the_published_network(row: int) -> None:
    genome = CELLS_TO_TRY[row]
    path = SoftCells(1, 10, CHANNELS[0], CELLS).only(genome.astype(np.intp))
    assert sum(one.numel() for one in path.parameters()) == SPACE.layers(genome[None]).params()[0]


def test_a_mixture_of_one_option_computes_the_path() -> None:
    torch.manual_seed(0)
    network = SoftCells(1, 10, 4, 1).eval()
    genome = CELLS_TO_TRY[1].astype(np.intp)
    network.gates = [Gate(torch.eye(5)[code], tuple(range(5))) for code in genome.tolist()]
    images = torch.randn(3, 1, 8, 8)
    torch.testing.assert_close(network(images), network.only(genome)(images))


def test_the_auxiliary_skip_adds_the_input_of_every_edge() -> None:
    network = SoftCells(1, 10, 4, 1).eval()
    network.gates = fixed_gates(np.zeros(6, dtype=np.intp), 5)  # none everywhere
    images = torch.randn(3, 1, 8, 8)
    without = network(images)
    network.auxiliary = 1.0
    skips = network.only(np.full(6, 1))
    torch.testing.assert_close(network(images), skips(images))
    assert not torch.allclose(without, network(images))


def test_a_path_of_an_analog_network_is_analog_and_has_its_own_weights() -> None:
    network = to_analog(SoftCells(1, 10, 4, 1), hardware("pcm"))
    network.gates = [Gate(torch.rand(5, requires_grad=True).softmax(0), (3,))] * 6
    path = network.only(CELLS_TO_TRY[3].astype(np.intp))
    before = network.get_parameter("stem.0.weight").detach().clone()
    with torch.no_grad():
        path.get_parameter("stem.0.weight").zero_()
    torch.testing.assert_close(network.get_parameter("stem.0.weight"), before)
