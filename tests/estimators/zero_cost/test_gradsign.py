from __future__ import annotations

import torch

from ohmnas.estimators.zero_cost.gradsign import GradSign

from .conftest import ProxyContract, convolutional, linear, softmax_gradients


class TestGradSign(ProxyContract):
    name = "gradsign"


def test_it_counts_on_which_weights_the_images_agree() -> None:
    network, images, labels = linear()
    expected = softmax_gradients().sign().sum(dim=0).abs().sum()
    assert GradSign().score(network, images, labels) == float(expected)


def test_equal_images_agree_on_all_weights_and_batch_norm_couples_none() -> None:
    network, images, _ = convolutional()
    with torch.no_grad():
        network(images)
    network.eval()
    same = images[:1].expand(5, -1, -1, -1)
    one = GradSign().score(network, same[:1], torch.zeros(1, dtype=torch.int64))
    assert GradSign().score(network, same, torch.zeros(5, dtype=torch.int64)) == 5 * one
