from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from ohmnas.errors import InvalidValueError
from ohmnas.oneshot.gradient.settings import METHODS
from ohmnas.oneshot.gradient.training import Training

from .conftest import problem


@pytest.mark.parametrize("method", METHODS)
def test_every_method_moves_weights_and_probabilities(method: str, training: Callable[..., Training]) -> None:
    made = training(method=method)
    before, weight = made.probabilities(), made.network.get_parameter("stem.0.weight").detach().clone()
    entry = made.epoch(1)
    assert np.abs(made.probabilities() - before).max() > 1e-3
    assert not torch.equal(made.network.get_parameter("stem.0.weight"), weight)
    np.testing.assert_allclose(made.probabilities().sum(axis=1), 1.0)
    assert 0.0 <= entry["objective"] <= 1.0
    assert entry["entropy"] <= np.log(5)


def test_a_weight_on_the_energy_lowers_its_expectation(training: Callable[..., Training]) -> None:
    energies = []
    for weight in (1e-6, 1e3):
        made = training(method="darts", weights={"energy": weight}, images=128)
        energies.append([made.epoch(epoch) for epoch in (1, 2)][-1]["expected_energy"])
    assert energies[1] < 0.8 * energies[0]


def test_a_limit_draws_the_expectation_towards_it(training: Callable[..., Training]) -> None:
    made = training(problem(max_params=200_000), method="darts", images=128, hinge=1e3)
    parameters = [made.epoch(epoch)["expected_params"] for epoch in (1, 2)]
    assert parameters[1] < parameters[0]


def test_warmup_leaves_the_logits_alone(training: Callable[..., Training]) -> None:
    made = training(warmup=0.5)
    before = made.probabilities()
    made.epoch(1)
    np.testing.assert_array_equal(made.probabilities(), before)
    made.epoch(2)
    assert np.abs(made.probabilities() - before).max() > 0


def test_early_stopping_keeps_the_logits_before_the_second_skip(training: Callable[..., Training]) -> None:
    made = training(remedy="early-stop")
    made.epoch(1)
    kept = made.probabilities()
    with torch.no_grad():
        made.logits.values[:, 1] += 100.0
    made.epoch(2)
    assert made.stopped
    np.testing.assert_array_equal(made.probabilities(), kept)


def test_the_auxiliary_skip_fades_away(training: Callable[..., Training]) -> None:
    made = training(remedy="auxiliary")
    made.epoch(1)
    assert 0.0 < made.network.auxiliary < 1.0
    made.epoch(2)
    assert made.network.auxiliary == 0.0


@pytest.mark.parametrize("method", ["gdas", "darts2"])
def test_a_restored_training_goes_on_bit_for_bit(method: str, training: Callable[..., Training]) -> None:
    first = training(method=method)
    first.epoch(1)
    tensors, values = first.state()
    tensors = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    entry = first.epoch(2)
    second = training(method=method)
    assert second.restore(tensors, values)
    assert second.epoch(2) == entry
    np.testing.assert_array_equal(second.probabilities(), first.probabilities())


def test_a_state_of_another_network_is_refused(training: Callable[..., Training]) -> None:
    assert not training(channels=6).restore(*training().state())


@pytest.mark.parametrize(("method", "is_last"), [("darts", True), ("gdas", False)])
def test_none_is_the_last_resort_of_a_mixture(method: str, is_last: bool, training: Callable[..., Training]) -> None:
    made = training(method=method)
    with torch.no_grad():
        made.logits.values[:, 0] += 5.0
    made.epoch(1)
    assert (made.probabilities().argmin(axis=1) == 0).all() == is_last


def test_too_few_images_are_refused(training: Callable[..., Training]) -> None:
    with pytest.raises(InvalidValueError, match=r"digits has [\d]+ training images, .* use a smaller batch"):
        training(images=8_000, batch=1_000)
