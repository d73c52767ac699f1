"""The two engines against each other: exact without noise, in distribution for each source of noise alone."""

from __future__ import annotations

import copy
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ohmnas.analog.calibration import calibrate
from ohmnas.analog.chip import Chip, ProgrammingTargets
from ohmnas.analog.convert import analog_layers, set_noise, to_analog, to_digital
from ohmnas.analog.engine import ENGINES, Aihwkit, Engine
from ohmnas.analog.noise import NoisePool
from ohmnas.analog.recipe import Recipe
from ohmnas.datasets.campaign.options import ENGINE_NAMES
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import IDEAL, Hardware, hardware
from ohmnas.spaces.modules import BranchSum

DRAWS = 1000
LEVEL = 1e-3
"""Probability that a test of one source fails although both engines draw from the same distribution (Bonferroni)."""
DAY = 86400.0
QUIET = replace(Hardware(), output_noise=0.0)

SOURCES = {
    "output noise": replace(IDEAL, output_noise=0.04),
    "programming": replace(IDEAL, programming_noise=1.0),
    "read noise": replace(IDEAL, read_noise=1.0),
    "drift": replace(IDEAL, drift=1.0),
    "drift, compensated": replace(IDEAL, drift=1.0, drift_compensation=True),
    "drift, compensated through an ADC that saturates": replace(IDEAL, drift=1.0, adc_bits=8, adc_bound=0.3),
    "drift, not compensated": replace(IDEAL, drift=1.0, drift_compensation=False),
    "hermes programming": replace(IDEAL, technology="hermes", g_max=20.7, programming_noise=1.0),
    "hermes read noise": replace(IDEAL, technology="hermes", g_max=20.7, read_noise=1.0),
    "hermes drift": replace(IDEAL, technology="hermes", g_max=20.7, drift=1.0),
    "reram programming": replace(IDEAL, technology="reram", g_max=88.2, programming_noise=1.0),
    "reram read noise": replace(IDEAL, technology="reram", g_max=88.2, read_noise=1.0),
    "reram relaxation": replace(IDEAL, technology="reram", g_max=88.2, drift=1.0),
    "everything of pcm": Hardware(),
}


def _grouped() -> nn.Sequential:
    """Every kind of layer, with batch norms that do something."""
    torch.manual_seed(2)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 5, padding=2, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 12, 3, stride=2, padding=1, groups=4, bias=False),
        nn.BatchNorm2d(12),
        BranchSum(2),
        nn.Conv2d(6, 6, 1, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 4),
    )
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network


def _calibrated(network: nn.Sequential, chip: Hardware, x: Tensor) -> nn.Sequential:
    native = to_analog(network, chip).train()
    with torch.no_grad():
        native(x)
    return native.eval()


def test_engines_are_named_where_torch_must_not_be_imported() -> None:
    assert tuple(ENGINES) == ENGINE_NAMES


def test_a_digital_copy_of_an_analog_network_is_the_network() -> None:
    network = _grouped().eval()
    x = torch.randn(5, 3, 8, 8)
    copy = to_digital(to_analog(network, Hardware()))
    assert [type(module) for module in copy] == [type(module) for module in network]
    assert torch.equal(copy(x), network(x))


@pytest.mark.parametrize("rows", [512, 13])
@pytest.mark.parametrize("bits", [(8, 8), (0, 0), (6, 9)])
def test_without_noise_a_whole_network_computes_the_same(bits: tuple[int, int], rows: int) -> None:
    """Up to values that lie on the edge between two steps of a converter, and their echo in later layers."""
    chip = replace(QUIET, tile_rows=rows, dac_bits=bits[0], adc_bits=bits[1])
    x = torch.randn(40, 3, 9, 9)
    if bits[0] == 0:
        x = x.clamp(-1.0, 1.0)  # aihwkit clips to its input range even where the DAC is ideal
    native = _calibrated(_grouped(), chip, x)
    theirs = Aihwkit().from_native(native, chip).eval()
    with torch.no_grad():
        found, expected = native(x), theirs(x)
    scale = float(expected.abs().max())
    assert float((found - expected).abs().median()) < 1e-5 * scale
    assert float((found - expected).abs().max()) < (0.05 if any(bits) else 1e-5) * scale


@pytest.mark.parametrize("name", SOURCES)
def test_each_source_of_noise_has_the_mean_and_variance_of_aihwkits(name: str) -> None:
    """1,000 draws of each engine: means by a z-test, variances by the normal limit of the log ratio, at LEVEL."""
    chip = SOURCES[name]
    torch.manual_seed(4)
    network = nn.Sequential(nn.Linear(12, 6))
    x = torch.rand(1, 12)
    native = _calibrated(network, chip, x)
    theirs: Any = Aihwkit().from_native(native, chip).eval()
    set_noise(native, NoisePool(0))
    targets = ProgrammingTargets.of(native)
    draws: tuple[list[Tensor], list[Tensor]] = ([], [])
    with torch.no_grad():
        for _ in range(DRAWS):
            Chip(targets, chip).load_into(native, DAY)
            draws[0].append(native(x)[0])
            theirs.program_analog_weights()
            theirs.drift_analog_weights(DAY)
            draws[1].append(theirs(x)[0])
    _compare(*(torch.stack(d).double() for d in draws))


def test_training_noise_has_the_mean_and_variance_of_aihwkits() -> None:
    chip = replace(IDEAL, training_noise=0.06)
    torch.manual_seed(4)
    x = torch.rand(1, 12)
    native = _calibrated(nn.Sequential(nn.Linear(12, 6)), chip, x)
    theirs = Aihwkit().from_native(native, chip).train()
    native.train()
    with torch.no_grad():
        draws = [torch.stack([network(x)[0] for _ in range(DRAWS)]).double() for network in (native, theirs)]
    _compare(*draws)


def _compare(a: Tensor, b: Tensor) -> None:
    bound = NormalDist().inv_cdf(1 - LEVEL / 2 / (2 * a.shape[1]))
    assert float(a.var(0).min()) > 1e-9  # there is noise to compare
    z = (a.mean(0) - b.mean(0)) / ((a.var(0) + b.var(0)) / len(a)).sqrt()
    assert float(z.abs().max()) < bound
    kurtosis = (((a - a.mean(0)) ** 4).mean(0) / a.var(0) ** 2).clamp(min=3.0)
    spread = ((kurtosis - 1) * 2 / len(a)).sqrt()  # standard error of the difference of two log variances
    assert float(((a.var(0) / b.var(0)).log() / spread).abs().max()) < bound


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_a_network_learns_and_is_measured_with_either_engine(engine: Engine, two_blobs: tuple[Tensor, Tensor]) -> None:
    images, labels = two_blobs
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(216, 3)
    )
    chip = hardware("pcm")
    analog = engine.to_analog(network, chip)
    training = engine.train(analog, images, labels, Recipe(epochs=4, batch=32, norm_batches=4), 0)
    assert training.epochs == 4
    assert engine.digital_accuracy(analog, images, labels, images) > 0.9
    before = engine.digital_accuracy(analog, images, labels, images)
    accuracies = engine.read_over_time(analog, chip, images, labels, 3, 0, images).accuracies
    assert accuracies.shape == (3, 4)
    assert accuracies.mean() > 0.85
    assert np.array_equal(accuracies, engine.read_over_time(analog, chip, images, labels, 3, 0, images).accuracies)
    assert engine.digital_accuracy(analog, images, labels, images) == before


def test_from_native_keeps_the_input_ranges() -> None:
    x = torch.randn(9, 3, 8, 8)
    native = _calibrated(_grouped(), Hardware(), x)
    theirs: Any = Aihwkit().from_native(native, Hardware())
    ranges = [float(tile.input_range) for tile in theirs.analog_tiles()]
    expected = [float(layer.input_range) for layer in analog_layers(native) for _ in range(layer.groups)]
    assert ranges == pytest.approx(expected)


def test_to_native_takes_the_largest_range_of_the_groups() -> None:
    x = torch.randn(9, 3, 8, 8)
    digital = _grouped()
    theirs: Any = Aihwkit().from_native(_calibrated(digital, Hardware(), x), Hardware())
    tiles = [*theirs.analog_tiles()]
    for place, tile in enumerate(tiles):
        tile.input_range.data.fill_(float(place + 1))
    native = Aihwkit().to_native(theirs, copy.deepcopy(digital), Hardware())
    groups = [layer.groups for layer in analog_layers(native)]
    assert max(groups) > 1
    assert [float(layer.input_range) for layer in analog_layers(native)] == [float(end) for end in np.cumsum(groups)]


def test_a_wrong_seed_is_refused_by_aihwkit_too() -> None:
    x = torch.randn(9, 3, 8, 8)
    theirs: Any = Aihwkit().from_native(_calibrated(_grouped(), Hardware(), x), Hardware())
    with pytest.raises(InvalidValueError, match="seed"):
        Aihwkit().read_over_time(theirs, Hardware(), x, torch.zeros(9, dtype=torch.long), 1, -1, x)


class Residual(nn.Module):
    """Biases, groups, dilation, padding in words, forward code: what the networks of the space do not have."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding="same")
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.norm1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=2, dilation=2)
        self.norm2 = nn.BatchNorm2d(8, affine=False)
        self.kept = nn.Conv2d(8, 8, 1)
        self.classifier = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        y = torch.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        x = self.kept(torch.relu(x + y))
        result: Tensor = self.classifier(x.mean(dim=(2, 3)))
        return result


def _residual(chip: Hardware, x: Tensor) -> Residual:
    torch.manual_seed(3)
    network = to_analog(Residual(), chip, keep_digital=["kept"])
    calibrate(network, x, batch_norm=True)
    return network


@pytest.mark.parametrize("rows", [512, 13])
@pytest.mark.parametrize("bits", [(8, 8), (0, 0)])
def test_without_noise_any_module_with_biases_computes_the_same(bits: tuple[int, int], rows: int) -> None:
    chip = replace(QUIET, tile_rows=rows, dac_bits=bits[0], adc_bits=bits[1])
    x = torch.randn(40, 3, 9, 9)
    native = _residual(chip, x)
    if bits[0] == 0:
        for layer in analog_layers(native):  # aihwkit clips to its input range even where the DAC is ideal
            layer.input_range.fill_(100.0)
    theirs = Aihwkit().from_native(native, chip).eval()
    assert type(theirs.get_submodule("kept")) is nn.Conv2d
    with torch.no_grad():
        found, expected = native(x), theirs(x)
    scale = float(expected.abs().max())
    assert float((found - expected).abs().median()) < (1e-3 if any(bits) else 1e-5) * scale
    assert float((found - expected).abs().max()) < (0.05 if any(bits) else 1e-5) * scale


def test_chips_of_any_module_with_biases_have_the_mean_and_variance_of_aihwkits() -> None:
    chip = Hardware(drift_compensation=True)
    x = torch.rand(1, 3, 5, 5)
    native = _residual(chip, torch.rand(64, 3, 5, 5))
    theirs: Any = Aihwkit().from_native(native, chip).eval()
    set_noise(native, NoisePool(0))
    targets = ProgrammingTargets.of(native)
    draws: tuple[list[Tensor], list[Tensor]] = ([], [])
    with torch.no_grad():
        for _ in range(300):
            Chip(targets, chip).load_into(native, DAY)
            draws[0].append(native(x)[0])
            theirs.program_analog_weights()
            theirs.drift_analog_weights(DAY)
            draws[1].append(theirs(x)[0])
    _compare(*(torch.stack(d).double() for d in draws))


def test_groups_keep_their_biases() -> None:
    layer = nn.Conv2d(4, 6, 3, padding="same", groups=2, dilation=2)
    theirs = Aihwkit().to_analog(nn.Sequential(layer), replace(IDEAL, dac_bits=0)).eval()
    for tile in theirs.analog_tiles():  # type: ignore[operator]
        tile.input_range.data.fill_(100.0)
    x = torch.randn(3, 4, 7, 7)
    torch.testing.assert_close(theirs(x), layer(x), rtol=1e-4, atol=1e-4)


def test_aihwkit_refuses_what_its_layers_cannot_do() -> None:
    for network, message in (
        (nn.Sequential(nn.Conv2d(4, 6, 2, padding="same")), r"0 \(Conv2d\) has the padding 'same'"),
        (nn.Sequential(nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect")), "the padding mode 'reflect'"),
        (nn.Sequential(nn.Conv1d(1, 2, 3)), r"0 \(Conv1d\)"),
    ):
        with pytest.raises(InvalidValueError, match=message):
            Aihwkit().to_analog(network, Hardware())


def test_aihwkit_reads_the_chip_that_is_asked_for(two_blobs: tuple[Tensor, Tensor]) -> None:
    """A network that was trained once is read on several chips: devices are those of each, not of the first."""
    images, labels = two_blobs[0][:30], two_blobs[1][:30]
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(72, 3))
    pcm, reram = hardware("pcm"), hardware("reram")
    engine = Aihwkit()
    found, expected = (
        engine.read_over_time(engine.to_analog(network, trained_for), reram, images, labels, 3, 0, images).correct
        for trained_for in (pcm, reram)
    )
    assert np.array_equal(found, expected)
    low = replace(pcm, name="low", dac_bits=4, tile_rows=16)
    with pytest.raises(InvalidValueError, match=r"a chip other than 'low': forward\.inp_res .*mapping\.max_input_size"):
        engine.read_over_time(engine.to_analog(network, pcm), low, images, labels, 3, 0, images)
    with pytest.raises(InvalidValueError, match="dac_bits is 8"):
        engine.from_native(to_analog(network, pcm), low)
