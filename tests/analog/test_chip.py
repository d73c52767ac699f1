"""A chip against aihwkit's tile: bit by bit for one tile, in distribution for a layer."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from aihwkit.nn.conversion import convert_to_analog
from torch import nn

from ohmnas.analog.chip import Chip, ProgrammingTargets
from ohmnas.analog.convert import analog_layers, set_noise, to_analog
from ohmnas.analog.device import noise_model
from ohmnas.analog.noise import NoisePool
from ohmnas.analog.rpu import rpu_config
from ohmnas.hardware import Hardware, hardware

MONTH = 30 * 86400.0


@pytest.fixture
def targets(small_network: nn.Sequential, chip: Hardware) -> ProgrammingTargets:
    return ProgrammingTargets.of(to_analog(small_network, chip))


def test_two_programmings_differ(targets: ProgrammingTargets, chip: Hardware) -> None:
    first, second = Chip(targets, chip), Chip(targets, chip)
    assert not torch.equal(first.programmed, second.programmed)
    assert not torch.equal(first.drift_exponents[0], second.drift_exponents[0])


def test_two_readings_share_programming_and_drift_exponents(targets: ProgrammingTargets) -> None:
    """Without read noise, two readings at one time are the same reading; with it, they differ by that alone."""
    quiet = replace(Hardware(), read_noise=0.0)
    one = Chip(targets, quiet)
    exponents = [nu.clone() for nu in one.drift_exponents]
    assert torch.equal(one.weights_at(MONTH), one.weights_at(MONTH))
    assert not torch.equal(one.weights_at(1.0), one.weights_at(MONTH))
    assert all(torch.equal(a, b) for a, b in zip(exponents, one.drift_exponents, strict=True))
    noisy = Chip(targets, Hardware())
    assert not torch.equal(noisy.weights_at(MONTH), noisy.weights_at(MONTH))


@pytest.mark.parametrize("name", ["pcm", "hermes", "reram"])
def test_programming_and_drift_of_one_tile_are_aihwkits_bit_by_bit(name: str) -> None:
    chip = hardware(name)
    targets = ProgrammingTargets.of(to_analog(nn.Sequential(nn.Linear(30, 20)), chip))
    model = noise_model(chip)
    torch.manual_seed(7)
    one = Chip(targets, chip)
    torch.manual_seed(7)
    programmed, exponents = model.apply_programming_noise(targets.weights[None])
    torch.testing.assert_close(one.programmed, programmed[0], rtol=1e-5, atol=1e-6)
    for mine, theirs in zip(one.drift_exponents, exponents, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-4)
    torch.manual_seed(8)
    mine_later = one.weights_at(MONTH)
    torch.manual_seed(8)
    theirs_later = model.apply_drift_noise(programmed, exponents, MONTH)[0]
    torch.testing.assert_close(mine_later, theirs_later, rtol=1e-4, atol=1e-5)


def test_zero_time_is_programming_and_read_noise_only(targets: ProgrammingTargets) -> None:
    one = Chip(targets, replace(Hardware(), read_noise=0.0))
    torch.testing.assert_close(one.weights_at(0.0), one.programmed, rtol=1e-5, atol=1e-6)


def test_a_noise_free_chip_holds_the_targets_forever(targets: ProgrammingTargets) -> None:
    still = Hardware(programming_noise=0.0, read_noise=0.0, drift=0.0, output_noise=0.0, adc_bits=0)
    one = Chip(targets, still)
    for seconds in (0.0, 1.0, MONTH):
        weights = one.weights_at(seconds)
        torch.testing.assert_close(weights, targets.weights, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(one.compensation(weights), torch.ones(targets.tiles), rtol=1e-5, atol=1e-5)


def test_compensation_undoes_the_mean_decay_of_each_tile(targets: ProgrammingTargets) -> None:
    quiet = Hardware(output_noise=0.0, adc_bits=0)
    one = Chip(targets, quiet)
    later = one.weights_at(MONTH)
    gain = one.compensation(later)
    assert (gain > 1.2).all()  # PCM keeps about 0.56 of a conductance over a month at nu = 0.05
    compensated = targets.tile_mean(later.abs()) * gain
    torch.testing.assert_close(compensated, targets.tile_mean(one.programmed.abs()))
    assert (Chip(targets, replace(quiet, drift_compensation=False)).compensation(later) == 1).all()


@pytest.mark.parametrize("name", ["pcm", "hermes", "reram"])
def test_outputs_of_many_chips_have_the_mean_and_spread_of_aihwkits(name: str) -> None:
    """250 chips each, at 1 s and 30 days: means within 6 standard errors per output, spread within 8 % on average."""
    chip = hardware(name)
    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv2d(6, 8, 3, padding=1, bias=False))
    x = torch.randn(1, 6, 5, 5)
    mine, theirs = to_analog(network, chip).eval(), convert_to_analog(network, rpu_config(chip)).eval()
    next(analog_layers(mine)).input_range.fill_(2.5)
    for tile in theirs.analog_tiles():
        tile.input_range.data.fill_(2.5)
    set_noise(mine, NoisePool(0))
    targets = ProgrammingTargets.of(mine)
    for seconds in (1.0, MONTH):
        samples: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
        with torch.no_grad():
            for _ in range(250):
                Chip(targets, chip).load_into(mine, seconds)
                samples[0].append(mine(x))
                for layer in theirs.analog_layers():
                    layer.program_analog_weights()
                    layer.drift_analog_weights(seconds)
                samples[1].append(theirs(x))
        a, b = torch.stack(samples[0]), torch.stack(samples[1])
        error = ((a.var(0) + b.var(0)) / 250).sqrt()
        assert ((a.mean(0) - b.mean(0)).abs() < 6 * error).all()
        assert abs(float(a.std(0).mean() / b.std(0).mean()) - 1) < 0.08
