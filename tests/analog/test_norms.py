from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ohmnas.analog.convert import set_mode, to_analog
from ohmnas.analog.drift import digital_accuracy, read_over_time
from ohmnas.analog.norms import average_statistics, batch_norms, saved_statistics
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.train import train
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import Hardware

Blobs = tuple[Tensor, Tensor]


@pytest.fixture
def trained(small_network: nn.Sequential, two_blobs: Blobs) -> nn.Sequential:
    network = to_analog(small_network, Hardware())
    train(network, *two_blobs, Recipe(epochs=4, batch=50), seed=0)
    return network


def test_averages_are_those_of_the_inputs(two_blobs: Blobs) -> None:
    images, _ = two_blobs
    norm = nn.BatchNorm2d(2)
    average_statistics(nn.Sequential(norm), images[:256])
    assert norm.running_mean is not None
    assert norm.running_var is not None
    halves = [images[:128], images[128:256]]
    torch.testing.assert_close(norm.running_mean, images[:256].mean(dim=(0, 2, 3)))
    variances = torch.stack([half.transpose(0, 1).flatten(1).var(dim=1) for half in halves])
    torch.testing.assert_close(norm.running_var, variances.mean(dim=0))
    assert not norm.training
    assert norm.momentum == 0.1


def test_a_failed_average_leaves_the_network_in_evaluation_mode() -> None:
    norm = nn.BatchNorm2d(2)
    with pytest.raises(RuntimeError):
        average_statistics(nn.Sequential(norm), torch.zeros(10, 3, 4, 4))  # of three channels
    assert (norm.training, norm.momentum) == (False, 0.1)


def test_few_images_are_one_batch(two_blobs: Blobs) -> None:
    norm = nn.BatchNorm2d(2)
    average_statistics(nn.Sequential(norm), two_blobs[0][:20])
    assert int(norm.num_batches_tracked or 0) == 1


def test_statistics_come_back(trained: nn.Sequential, two_blobs: Blobs) -> None:
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    with suppress(KeyError), saved_statistics(trained):
        average_statistics(trained, two_blobs[0])
        assert not torch.equal(trained.state_dict()["0.norm.running_mean"], before["0.norm.running_mean"])
        raise KeyError
    for name, value in trained.state_dict().items():
        assert torch.equal(value, before[name])


def test_the_digital_accuracy_has_statistics_of_exact_arithmetic(trained: nn.Sequential, two_blobs: Blobs) -> None:
    images, labels = two_blobs
    for norm in batch_norms(trained):  # statistics that no arithmetic would give
        assert norm.running_mean is not None
        norm.running_mean.add_(5.0)
    wrong = digital_accuracy(trained, images, labels)
    assert digital_accuracy(trained, images, labels, images) > wrong + 0.2
    assert digital_accuracy(trained, images, labels) == wrong


def test_digital_values_saturate_where_the_converters_do() -> None:
    network = to_analog(nn.Sequential(nn.Linear(1, 1, bias=False)), Hardware()).eval()
    set_mode(network, "digital")
    (weight,) = (p for p in network.parameters() if p.dim())
    nn.init.constant_(weight, 0.5)
    with torch.no_grad():
        assert float(network(torch.tensor([[1.2345]]))) == pytest.approx(0.617_25)
        assert float(network(torch.tensor([[100.0]]))) == pytest.approx(2.0)  # the input range is 4


def test_adaptive_batch_norm_undoes_a_change_of_scale(trained: nn.Sequential, two_blobs: Blobs) -> None:
    """Without drift compensation all outputs shrink over a month; averaged anew, the statistics shrink with them."""
    images, labels = two_blobs
    drifting = replace(Hardware(), drift_compensation=False)
    adaptive = replace(drifting, batch_norm="adaptive")
    fixed, found = (
        read_over_time(trained, chip, images, labels, 5, 0, calibration=images).accuracies
        for chip in (drifting, adaptive)
    )
    assert found[:, -1].mean() > fixed[:, -1].mean() + 0.1
    with pytest.raises(InvalidValueError, match="needs calibration images"):
        read_over_time(trained, adaptive, images, labels, 5, 0)
