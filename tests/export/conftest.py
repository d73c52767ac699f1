"""Small trained networks, made without a training run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmnas.datasets.campaign.fidelity import SMOKE
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.campaign.trained import TrainedNetwork
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import Hardware
from ohmnas.spaces.genes import Population

pytest.importorskip("torch")
pytest.importorskip("aihwkit")

DIGITS = task("digits")


def calibrated(
    genome: Population, space: str = "resnet", chip: Hardware | None = None, seed: int = 0
) -> TrainedNetwork:
    """A network with random weights whose batch norms and input ranges are set from images, as after a training run."""
    import torch

    from ohmnas.analog.calibration import calibrate
    from ohmnas.analog.convert import to_analog
    from ohmnas.analog.images import ImageSet

    protocol = Protocol(DIGITS.in_space(space), SMOKE)
    data, chip, networks = protocol.data(), chip or Hardware(), protocol.task.space
    torch.manual_seed(seed)
    network: Any = to_analog(networks.build(networks.decode(genome[None])[0]), chip)
    calibrate(network, ImageSet(data.train.images, data.mean, data.std), batch_norm=True)
    return TrainedNetwork.of(protocol, genome, chip, 0, network, name="small")


def small_genomes(n: int, space: str = "resnet", seed: int = 0) -> Population:
    """``(n, g)``: small random architectures."""
    networks = DIGITS.in_space(space).space
    params, macs = (10_000, 400_000) if space == "resnet" else (90_000, 10**9)
    return networks.sample(n, np.random.default_rng(seed), params, macs, at_least=1)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def branched() -> TrainedNetwork:
    """Two branches of two kinds of block, on tiles that split some layers."""
    from ohmnas.spaces.resnet.architecture import Architecture, MainBlock

    blocks = (MainBlock(1, 2, "A", 1, True), MainBlock(1, 3, "B", 2, False))
    (genome,) = DIGITS.space.encode([Architecture(8, 3, blocks)])
    return calibrated(genome, chip=Hardware(tile_rows=64))


@pytest.fixture(scope="session")
def cell() -> TrainedNetwork:
    """A cell with each operation."""
    networks = DIGITS.in_space("cells").space
    (genome,) = networks.encode([networks.references["cells-bottleneck"]])
    return calibrated(genome, "cells")
