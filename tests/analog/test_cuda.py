"""The plain torch of the layers on a GPU: the same numbers, and the same statistics where there is noise."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ohmnas.analog.convert import set_noise, to_analog
from ohmnas.analog.drift import accuracy_over_time, digital_accuracy
from ohmnas.analog.noise import NoisePool
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.train import train
from ohmnas.hardware import Hardware

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize("rows", [512, 13])
def test_without_noise_a_network_computes_what_it_computes_on_the_cpu(
    rows: int, small_network: nn.Sequential, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    chip = Hardware(output_noise=0.0, training_noise=0.0, tile_rows=rows)
    x = torch.randn(20, 2, 6, 6)
    cpu = to_analog(small_network, chip).train()
    gpu = copy.deepcopy(cpu).cuda()
    with torch.no_grad():
        for _ in range(2):
            found, expected = gpu(x.cuda()).cpu(), cpu(x)
    assert float((found - expected).abs().median()) < 1e-5 * float(expected.abs().max())


def test_output_noise_has_the_strength_of_the_chip() -> None:
    network = to_analog(nn.Sequential(nn.Linear(6, 3)), Hardware(adc_bits=0)).eval().cuda()
    set_noise(network, NoisePool(0, "cuda"))
    with torch.no_grad():
        readings = network(torch.ones(1000, 6, device="cuda"))
    layer: Any = network[0]
    expected = 0.04 * layer.mapping.column_scale(layer.weight)[:, 0] * layer.input_range
    assert ((readings.std(dim=0) / expected - 1).abs() < 4 / (2 * 1000) ** 0.5).all()


def test_a_network_is_trained_and_measured_as_on_the_cpu(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor]
) -> None:
    images, labels = two_blobs
    recipe = replace(Recipe(), epochs=8, batch=50, norm_batches=4)
    accuracies = []
    for device in ("cpu", "cuda"):
        network = to_analog(small_network, Hardware()).to(device)
        there = images.to(device), labels.to(device)
        train(network, *there, recipe, 0)
        assert digital_accuracy(network, *there) > 0.9
        accuracies.append(accuracy_over_time(network, Hardware(), *there, chips=8, seed=0).mean())
    assert np.ptp(accuracies) < 0.05
