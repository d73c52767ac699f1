from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ohmnas.errors import InvalidValueError
from ohmnas.estimators.inherit.net2net import inherit
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock

SPACE = ResNetSpace((2, 8, 8), 4)
BASIC = MainBlock(1, 1, "A", 1, True)
PARENTS = {
    "basic": Architecture(8, 3, (BASIC, replace(BASIC, widening=2))),
    "no residual connection": Architecture(8, 3, (replace(BASIC, skip=False),)),
    "bottleneck": Architecture(8, 3, (MainBlock(2, 4, "B", 2, True),)),
    "bottleneck, no residual connection": Architecture(8, 3, (MainBlock(1, 4, "B", 1, False), BASIC)),
    "branches": Architecture(9, 5, (replace(BASIC, branches=2, widening=2),)),
}


def trained(architecture: Architecture) -> nn.Sequential:
    """A network whose batch norms have arbitrary parameters and statistics."""
    torch.manual_seed(0)
    network = SPACE.build(architecture)
    assert isinstance(network, nn.Sequential)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values, low in ((module.weight, 0.5), (module.bias, -0.3), (module.running_mean, -0.2)):
                assert values is not None
                nn.init.uniform_(values, low, low + 1.0)
            assert module.running_var is not None
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return network


def grown(architecture: Architecture, gene: str) -> Architecture:
    first, *others = architecture.blocks
    if gene == "stem channels":
        return replace(architecture, stem_channels=architecture.stem_channels + 5)
    if gene == "stem kernel":
        return replace(architecture, stem_kernel=7)
    if gene == "widening":
        return replace(architecture, blocks=(replace(first, widening=first.widening + 1), *others))
    if gene == "residual blocks":
        return replace(architecture, blocks=(replace(first, residual_blocks=first.residual_blocks + 1), *others))
    if gene == "branches":
        return replace(architecture, blocks=(replace(first, branches=first.branches + 2), *others))
    if gene == "main block":
        return replace(architecture, blocks=(*architecture.blocks, replace(BASIC, widening=2, residual_blocks=2)))
    if gene == "bottleneck main block":
        return replace(architecture, blocks=(*architecture.blocks, MainBlock(2, 6, "B", 2, False)))
    return grown(grown(grown(grown(architecture, "stem channels"), "branches"), "residual blocks"), "main block")


GENES = ("stem channels", "stem kernel", "widening", "residual blocks", "branches", "main block")


@pytest.mark.parametrize("gene", [*GENES, "bottleneck main block", "all"])
@pytest.mark.parametrize("parent", PARENTS)
def test_a_child_computes_the_function_of_its_parent(parent: str, gene: str) -> None:
    before, after = PARENTS[parent], grown(PARENTS[parent], gene)
    network = trained(before)
    torch.manual_seed(1)
    batch, others = torch.randn(16, *SPACE.input_shape), torch.randn(32, *SPACE.input_shape)
    child = inherit(network, before, after, SPACE, batch, np.random.default_rng(0))
    assert sum(one.numel() for one in child.parameters()) == SPACE.params(SPACE.encode([after]))[0]
    with torch.no_grad():
        ours, theirs = child.eval()(others), network.eval()(others)
    assert theirs.std() > 0.01
    assert float((ours - theirs).abs().max()) <= 1e-5 * max(float(theirs.abs().max()), 1.0)


def test_noise_separates_copies() -> None:
    before, after = PARENTS["basic"], grown(PARENTS["basic"], "stem channels")
    network, batch = trained(before), torch.randn(16, *SPACE.input_shape)
    plain, noisy = (
        inherit(network, before, after, SPACE, batch, np.random.default_rng(0), noise) for noise in (0.0, 0.01)
    )
    weights = [net[0].weight.detach().flatten(1) for net in (plain, noisy)]  # type: ignore[operator]
    assert [len(one.unique(dim=0)) for one in weights] == [before.stem_channels, after.stem_channels]


def test_networks_that_cannot_grow_are_refused() -> None:
    before = PARENTS["basic"]
    with pytest.raises(InvalidValueError, match=r"cannot inherit the weights of .*: its stem is smaller"):
        inherit(trained(before), grown(before, "all"), before, SPACE, torch.randn(2, 2, 8, 8), np.random.default_rng(0))
