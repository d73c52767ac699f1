from __future__ import annotations

import numpy as np
import pytest
import torch

from ohmnas.analog.convert import to_analog
from ohmnas.hardware import hardware
from ohmnas.oneshot.gradient.choices import drawn
from ohmnas.oneshot.gradient.network import Gate
from ohmnas.oneshot.gradient.resnet import ResNetRelaxation
from ohmnas.oneshot.gradient.soft_resnet import Widths
from ohmnas.spaces.resnet import ResNetSpace

SPACE = ResNetSpace((1, 8, 8), 10)
RELAXATION = ResNetRelaxation(SPACE, 8, 2, 2)
SIZES = np.array(RELAXATION.sizes)[:, None]
SOME = drawn((np.arange(4) < SIZES) / SIZES, 6, np.random.default_rng(3))


def test_the_expected_mask_is_the_probability_of_each_channel() -> None:
    widths = Widths([1, 2], torch.tensor([0.25, 0.75])).widened((1, 2), torch.tensor([0.5, 0.5]))
    torch.testing.assert_close(widths.mask(4).flatten(), torch.tensor([1.0, 0.875, 0.375, 0.375]))


@pytest.mark.parametrize("row", range(len(SOME)))
def test_a_path_computes_the_network_of_the_space(row: int) -> None:
    """The network of the space, with the path's weights: cut to its widths, branches side by side."""
    torch.manual_seed(0)
    soft = RELAXATION.network().eval()
    path = soft.only(SOME[row])
    (architecture,) = SPACE.decode(RELAXATION.genomes(SOME[row : row + 1]))
    network = SPACE.build(architecture).eval()
    targets = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)]
    sources = _convolutions(path, architecture)
    assert len(targets) == len(sources)
    with torch.no_grad():
        for target, several in zip(targets, sources, strict=True):
            outputs, inputs = target.weight.shape[0] // len(several), target.weight.shape[1]
            target.weight.copy_(torch.cat([one.weight[:outputs, :inputs] for one in several]))
        linear = [*network.children()][-1]
        assert isinstance(linear, torch.nn.Linear)
        whole = path.get_submodule("head.1")
        assert isinstance(whole, torch.nn.Linear)
        linear.weight.copy_(whole.weight[:, : linear.in_features])
        assert linear.bias is not None
        linear.bias.copy_(whole.bias)
    images = torch.randn(2, 1, 8, 8)
    torch.testing.assert_close(path(images), network(images), rtol=1e-4, atol=1e-4)


def _convolutions(path: torch.nn.Module, architecture: object) -> list[list[torch.nn.Conv2d]]:
    """Convolutions of a path in the order of the space's network; those of parallel branches together."""
    found: list[list[torch.nn.Conv2d]] = []
    stem = path.get_submodule("stem")
    found.append([m for m in stem.modules() if isinstance(m, torch.nn.Conv2d)])
    del architecture
    for residual in path.get_submodule("body").children():
        chains = dict(residual.get_submodule("chains").named_children())
        names = [name for name in chains if name != "skip"]
        for step in sorted({name[-1] for name in names}):
            found.append([_first(chains[name]) for name in sorted(names) if name[-1] == step])
        if "skip" in chains:
            found.append([_first(chains["skip"])])
    return found


def _first(chain: torch.nn.Module) -> torch.nn.Conv2d:
    convolution = next(iter(chain.children()))
    assert isinstance(convolution, torch.nn.Conv2d)
    return convolution


def test_a_mixture_reaches_all_logits_and_a_path_of_an_analog_network_uses_every_layer_once() -> None:
    from ohmnas.analog.calibration import check_use

    torch.manual_seed(0)
    soft = to_analog(RELAXATION.network(), hardware("pcm"))
    logits = torch.zeros(len(SIZES), 4, requires_grad=True)
    masked = logits.masked_fill(torch.from_numpy(np.arange(4) >= SIZES), -torch.inf)
    soft.gates = [Gate(row.softmax(0), tuple(range(size))) for row, (size,) in zip(masked, SIZES.tolist(), strict=True)]
    images = torch.randn(4, 1, 8, 8)
    (slope,) = torch.autograd.grad(soft(images).square().sum(), [logits])
    assert (slope.abs().sum(dim=1) > 0).all()
    for choices in SOME:
        check_use(soft.only(choices), images)
