from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ohmnas.analog.convert import analog_layers, to_analog
from ohmnas.analog.drift import TIMES, accuracy, accuracy_of_one_chip, accuracy_over_time, digital_accuracy
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.train import train
from ohmnas.datasets.campaign.limits import LimitError
from ohmnas.datasets.tables import schema
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import IDEAL, Hardware


@pytest.fixture
def trained(small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor]) -> nn.Sequential:
    network = to_analog(small_network, Hardware())
    train(network, *two_blobs, Recipe(epochs=4, batch=50), seed=0)
    return network


def test_times_are_those_of_the_schema() -> None:
    assert tuple(TIMES) == schema.TIMES
    assert list(TIMES.values()) == sorted(TIMES.values())


def test_the_same_seed_measures_the_same(trained: nn.Sequential, two_blobs: tuple[Tensor, Tensor]) -> None:
    runs = [accuracy_over_time(trained, Hardware(), *two_blobs, chips=3, seed=seed) for seed in (1, 1, 2)]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
    assert runs[0].shape == (3, len(TIMES))


def test_measuring_leaves_torchs_global_generator_alone(
    trained: nn.Sequential, two_blobs: tuple[Tensor, Tensor]
) -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    accuracy_over_time(trained, Hardware(), *two_blobs, chips=2, seed=0)
    assert torch.equal(torch.rand(1), expected)


def test_without_noise_the_avm_is_zero(trained: nn.Sequential, two_blobs: tuple[Tensor, Tensor]) -> None:
    quiet = Hardware(programming_noise=0.0, read_noise=0.0, drift=0.0, output_noise=0.0)
    for layer in analog_layers(trained):
        layer.chip = quiet
    found = accuracy_over_time(trained, quiet, *two_blobs, chips=3, seed=0)
    assert (found == found[0, 0]).all()


def test_an_ideal_chip_is_as_accurate_as_the_network(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor]
) -> None:
    network = to_analog(small_network, IDEAL)
    train(network, *two_blobs, Recipe(epochs=2, batch=50), seed=0)
    found = accuracy_over_time(network, IDEAL, *two_blobs, chips=2, seed=0)
    assert (found == digital_accuracy(network, *two_blobs)).all()


def test_afterwards_the_network_holds_no_chip(trained: nn.Sequential, two_blobs: tuple[Tensor, Tensor]) -> None:
    before = accuracy(trained, *two_blobs)
    accuracy_over_time(trained, Hardware(), *two_blobs, chips=2, seed=0)
    assert accuracy(trained, *two_blobs) == before


def _interrupt(network: nn.Sequential, call: int) -> None:
    """Raise in this call of the first layer, as a limit on time or memory does."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise LimitError("too slow")

    network[0].register_forward_pre_hook(count)


def test_after_an_interrupted_reading_the_network_holds_no_chip(
    trained: nn.Sequential, two_blobs: tuple[Tensor, Tensor]
) -> None:
    before, exact = accuracy(trained, *two_blobs), digital_accuracy(trained, *two_blobs)
    readings = (
        (6, lambda: accuracy_over_time(trained, Hardware(), *two_blobs, chips=2, seed=0)),
        (1, lambda: accuracy_of_one_chip(trained, Hardware(), *two_blobs, seed=0)),
        (1, lambda: digital_accuracy(trained, *two_blobs)),
    )
    for call, read in readings:
        _interrupt(trained, call)
        with pytest.raises(LimitError):
            read()
        trained[0]._forward_pre_hooks.clear()
        assert accuracy(trained, *two_blobs) == before
        assert digital_accuracy(trained, *two_blobs) == exact


def test_another_chip_than_the_networks_is_refused(trained: nn.Sequential, two_blobs: tuple[Tensor, Tensor]) -> None:
    low = replace(Hardware(), name="low", dac_bits=2, adc_bits=2)
    with pytest.raises(InvalidValueError, match="dac_bits is 8 in the network and 2 on the chip; adc_bits is 8"):
        accuracy_over_time(trained, low, *two_blobs, chips=2, seed=0)
    with pytest.raises(InvalidValueError, match="a chip other than 'low'"):
        accuracy_of_one_chip(trained, low, *two_blobs, seed=0)
    accuracy_over_time(trained, replace(Hardware(), technology="reram", g_max=88.2), *two_blobs, chips=2, seed=0)


def test_reading_an_uncalibrated_network_warns(small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor]) -> None:
    network = to_analog(small_network, Hardware())
    for read in (
        lambda: accuracy_over_time(network, Hardware(), *two_blobs, chips=2, seed=0),
        lambda: accuracy_of_one_chip(network, Hardware(), *two_blobs, seed=0),
        lambda: digital_accuracy(network, *two_blobs),
    ):
        with pytest.warns(UserWarning, match="input ranges of 0, 3, 8 are not calibrated.*calibrate"):
            read()
    ideal = to_analog(small_network, IDEAL)
    accuracy_over_time(ideal, IDEAL, *two_blobs, chips=2, seed=0)  # which clips nothing


@pytest.mark.parametrize("seconds", [0.0, 0.5, -1.0, float("nan"), float("inf")])
def test_times_at_which_no_device_was_measured_are_refused(
    seconds: float, trained: nn.Sequential, two_blobs: tuple[Tensor, Tensor]
) -> None:
    with pytest.raises(InvalidValueError, match="seconds must be finite and at least 1, not"):
        accuracy_of_one_chip(trained, Hardware(), *two_blobs, seed=0, seconds=seconds)


def test_numbers_of_numpy_are_seeds_and_counts(small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor]) -> None:
    images, labels = two_blobs
    read = []
    for whole in (int, np.int64, np.uint8):
        network = to_analog(small_network, Hardware())
        recipe = Recipe(epochs=int(whole(1)), batch=50)
        train(network, images, labels, recipe, seed=whole(3))  # type: ignore[arg-type]
        read.append(accuracy_over_time(network, Hardware(), images, labels, whole(2), whole(4)))  # type: ignore[arg-type]
        accuracy_of_one_chip(network, Hardware(), images, labels, seed=whole(4))  # type: ignore[arg-type]
    assert np.array_equal(read[0], read[1])
    assert np.array_equal(read[0], read[2])


@pytest.mark.parametrize("wrong", [-1, 0.5, 2.0, True, "1", None, 10**30])
def test_invalid_seeds_and_counts_are_refused(
    wrong: Any, trained: nn.Sequential, two_blobs: tuple[Tensor, Tensor]
) -> None:
    for call in (
        lambda: train(trained, *two_blobs, Recipe(epochs=1), seed=wrong),
        lambda: accuracy_over_time(trained, Hardware(), *two_blobs, chips=2, seed=wrong),
        lambda: accuracy_of_one_chip(trained, Hardware(), *two_blobs, seed=wrong),
    ):
        with pytest.raises(InvalidValueError, match=r"the seed must be a whole number from 0 to 2\^63 - 1, not "):
            call()
    if wrong != 10**30:  # which is a count
        with pytest.raises(InvalidValueError, match="number of chips must be a whole number, at least 1, not "):
            accuracy_over_time(trained, Hardware(), *two_blobs, chips=wrong, seed=0)
