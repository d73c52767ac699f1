from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor, nn

from ohmnas.analog.calibration import calibrate, check_use, warn_uncalibrated
from ohmnas.analog.convert import analog_layers, to_analog, to_digital
from ohmnas.analog.drift import accuracy_over_time
from ohmnas.analog.layers import RANGE_MULTIPLE
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.train import train
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import Hardware

QUIET = Hardware(output_noise=0.0, dac_bits=14, adc_bits=0)


def test_ranges_are_those_of_the_inputs(small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor]) -> None:
    images = 20.0 * two_blobs[0][:256]
    network = to_analog(small_network, QUIET)
    calibrate(network, images)
    found = [float(layer.input_range) for layer in analog_layers(network)]
    assert found[0] == float(images.abs().max())
    seen: list[Tensor] = []
    small_network[3].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].square().mean().sqrt()))
    small_network.eval()
    with torch.no_grad():
        for half in torch.split(images, 128):
            small_network(half)
    assert found[1] == pytest.approx(RANGE_MULTIPLE * float(sum(seen)) / 2, rel=1e-3)


def test_calibrating_again_forgets_what_was(small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor]) -> None:
    ranges = []
    network = to_analog(small_network, Hardware())
    for factor in (1.0, 10.0, 1.0):
        calibrate(network, factor * two_blobs[0])
        ranges.append([float(layer.input_range) for layer in analog_layers(network)])
    assert ranges[0] == ranges[2]
    assert all(large > 2 * small for small, large in zip(ranges[0], ranges[1], strict=True))


def test_only_with_batch_norm_do_statistics_change(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor]
) -> None:
    network = to_analog(small_network, QUIET).train()
    norm = network[0].norm
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    calibrate(network, two_blobs[0])
    assert not norm.running_mean.any()
    calibrate(network, two_blobs[0], batch_norm=True)
    with torch.no_grad():
        exact = small_network[0](two_blobs[0][:256]).mean(dim=(0, 2, 3))
    torch.testing.assert_close(norm.running_mean, exact, rtol=1e-2, atol=1e-2)
    assert not network.training
    assert not norm.training


def test_a_network_that_was_trained_before_keeps_its_accuracy(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor]
) -> None:
    """Images far beyond the fixed range: clipped there, they are all alike."""
    images, labels = 30.0 * two_blobs[0], two_blobs[1]
    trained = to_analog(small_network, Hardware())
    train(trained, images, labels, Recipe(epochs=6, batch=50), seed=0)
    again = to_analog(to_digital(trained), Hardware())
    with pytest.warns(UserWarning, match="not calibrated"):
        clipped = accuracy_over_time(again, Hardware(), images, labels, chips=3, seed=0)[:, 0].mean()
    calibrate(again, images)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = accuracy_over_time(again, Hardware(), images, labels, chips=3, seed=0)[:, 0].mean()
    expected = accuracy_over_time(trained, Hardware(), images, labels, chips=3, seed=0)[:, 0].mean()
    assert found > expected - 0.05
    assert found > clipped + 0.1


def test_a_loaded_state_counts_as_calibrated(small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor]) -> None:
    network, other = (to_analog(small_network, Hardware()) for _ in range(2))
    calibrate(network, two_blobs[0])
    other.load_state_dict(network.state_dict())
    warn_uncalibrated(other)  # a warning is an error here


def test_looking_changes_nothing(small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor]) -> None:
    network = to_analog(small_network.append(nn.Dropout()), Hardware())
    network[1].eval()
    modes = [module.training for module in network.modules()]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    check_use(network, two_blobs[0])
    assert torch.equal(torch.rand(3), expected)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_calibration_needs_images_and_layers_that_are_used(small_network: nn.Sequential) -> None:
    network = to_analog(small_network, Hardware())
    with pytest.raises(InvalidValueError, match="no images"):
        calibrate(network, torch.empty(0, 2, 6, 6))
    functional_use = to_analog(_Functional(), Hardware())
    with pytest.raises(InvalidValueError, match=r"linear \(Linear\) 0 times"):
        calibrate(functional_use, torch.randn(4, 2))


class _Functional(nn.Module):
    """Reads the weight of a layer that it does not call."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.linear.weight)


def test_a_layer_that_reads_zeros_has_a_range_above_zero(chip: Hardware) -> None:
    network = to_analog(nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.BatchNorm2d(2)), chip)
    calibrate(network, torch.zeros(10, 1, 5, 5))
    assert all(float(layer.input_range) > 0 for layer in analog_layers(network))
    assert torch.isfinite(network(torch.zeros(2, 1, 5, 5))).all()
