from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from ohmnas.analog.convert import to_analog
from ohmnas.analog.drift import accuracy_over_time, digital_accuracy
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.state import check_state, names_and_shapes, restored, state_of
from ohmnas.analog.train import train
from ohmnas.errors import BrokenFileError
from ohmnas.hardware import Hardware


def test_a_network_is_restored_to_the_bit(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware
) -> None:
    images, labels = two_blobs
    network = to_analog(small_network, chip)
    train(network, images, labels, Recipe(epochs=2, batch=50), seed=0)
    state = state_of(network, images)
    check_state(small_network, state)
    again = restored(copy.deepcopy(small_network), chip, state)
    read = [accuracy_over_time(one, chip, images, labels, 2, 7) for one in (network, again)]
    assert (read[0] == read[1]).all()
    exact = restored(copy.deepcopy(small_network), chip, state, exact=True)
    with torch.no_grad():
        right = (exact(images).argmax(1) == labels).double().mean()
    assert float(right) == digital_accuracy(network, images, labels, images)


def test_the_state_has_the_names_and_shapes_that_the_network_needs(
    small_network: nn.Sequential, chip: Hardware
) -> None:
    state = state_of(to_analog(small_network, chip))
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == names_and_shapes(small_network)


def test_tensors_that_do_not_fit_are_named(small_network: nn.Sequential, chip: Hardware) -> None:
    state = state_of(to_analog(small_network, chip))
    del state["range.3.input_range"]
    with pytest.raises(BrokenFileError, match=r"lacks the tensor range\.3\.input_range"):
        check_state(small_network, state)
