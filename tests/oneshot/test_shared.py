from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ohmnas.analog.recipe import Recipe
from ohmnas.errors import BrokenFileError, InvalidValueError
from ohmnas.oneshot.shared import Pieces, SharedWeights, add_gradients, crop
from ohmnas.oneshot.supernet import skeleton

from .conftest import tiny


def test_a_crop_has_the_first_channels_and_the_centre_of_the_kernel() -> None:
    whole = torch.arange(4 * 2 * 7 * 7).view(4, 2, 7, 7)
    assert torch.equal(crop(whole, (3, 1, 3, 3)), whole[:3, :1, 2:5, 2:5])
    assert crop(whole, whole.shape) is whole


def test_a_network_has_the_shared_weights_and_another_one_shares_them() -> None:
    plan = tiny()
    shared = SharedWeights(0)
    genomes = plan.space.sample(2, np.random.default_rng(0), 4_000, within=plan.within)
    found = []
    for genome in genomes:
        network, places = skeleton(plan, genome)
        pieces = Pieces(network, places)
        shared.load_into(pieces, grow=True)
        for name, value in zip(pieces.names, pieces.values(), strict=True):
            assert torch.equal(value, crop(shared.tensors[name], value.shape)), name
        found.append(dict(zip(pieces.names, pieces.values(), strict=True)))
    common = [name for name in found[0] if name in found[1]]
    assert common
    for name in common:
        sizes = tuple(map(min, found[0][name].shape, found[1][name].shape))
        assert torch.equal(crop(found[0][name], sizes), crop(found[1][name], sizes))


def test_initial_weights_depend_on_the_seed_and_the_name_only() -> None:
    plan = tiny()
    genomes = plan.space.sample(3, np.random.default_rng(0), 4_000, within=plan.within)
    shared = [SharedWeights(0), SharedWeights(0), SharedWeights(1)]
    for weights, order in zip(shared, (genomes, genomes[::-1], genomes), strict=True):
        for genome in order:
            weights.load_into(Pieces(*skeleton(plan, genome)), grow=True)
    first, again, other = (weights.tensors for weights in shared)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["stem.0.weight"], other["stem.0.weight"])


def test_an_update_is_a_step_of_torch_and_leaves_other_weights_as_they_were() -> None:
    recipe = Recipe(gradient_norm=1e9)
    shared = SharedWeights(0, {"x": torch.randn(4, 3), "y": torch.randn(5)})
    before = {name: one.clone() for name, one in shared.tensors.items()}
    used = torch.nn.Parameter(before["x"][:2].clone())
    free = torch.nn.Parameter(before["y"][:3].clone())
    groups = [{"params": [used], "weight_decay": recipe.weight_decay}, {"params": [free], "weight_decay": 0.0}]
    expected = torch.optim.SGD(groups, lr=0.1, momentum=recipe.momentum, nesterov=True)
    for _ in range(3):
        used.grad, free.grad = torch.randn(2, 3), torch.randn(3)
        shared.update({"x": used.grad.clone(), "y": free.grad.clone()}, recipe, 0.1, 0.0)
        expected.step()
    torch.testing.assert_close(shared.tensors["x"][:2], used.data)
    torch.testing.assert_close(shared.tensors["y"][:3], free.data)
    assert torch.equal(shared.tensors["x"][2:], before["x"][2:])
    assert torch.equal(shared.tensors["y"][3:], before["y"][3:])


def test_the_gradient_and_the_weights_are_clipped() -> None:
    shared = SharedWeights(0, {"x": torch.zeros(100, 2)})
    recipe = replace(Recipe(), gradient_norm=1.0, momentum=0.0)
    shared.update({"x": torch.full((100, 2), 5.0)}, recipe, 1.0, 0.0)
    assert float(shared.tensors["x"].norm()) == pytest.approx(1.0, rel=1e-4)
    shared.tensors["x"] = torch.randn(100, 2)
    shared.tensors["x"][0, 0] = 50.0
    shared.update({"x": torch.zeros(100, 2)}, recipe, 1.0, 2.0)
    assert float(shared.tensors["x"][0, 0]) < 20.0


def test_gradients_of_parts_add_up() -> None:
    total = {"x": torch.ones(2, 1), "y": torch.ones(2)}
    add_gradients(total, {"x": torch.ones(1, 3), "z": torch.ones(1)})
    assert total["x"].tolist() == [[2.0, 1.0, 1.0], [1.0, 0.0, 0.0]]
    assert set(total) == {"x", "y", "z"}


def test_a_layer_without_place_and_a_tensor_of_another_shape_are_refused() -> None:
    plan = tiny()
    (genome,) = plan.space.sample(1, np.random.default_rng(0), 4_000, within=plan.within)
    network, places = skeleton(plan, genome)
    with pytest.raises(InvalidValueError, match="no shared weights"):
        Pieces(network, places[1:])
    with pytest.raises(BrokenFileError, match=r"stem\.0\.weight has the shape"):
        SharedWeights(0, {"stem.0.weight": torch.zeros(1, 1, 7, 7)}).load_into(Pieces(network, places))
