from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from ohmnas.spaces.resnet import ResNetSpace, genes
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock
from ohmnas.spaces.resnet.network import ResidualBlock, build
from ohmnas.spaces.resnet.references import reference

SPACE = ResNetSpace((1, 8, 8), 10)
BASE = Architecture(
    16, 3, (MainBlock(2, 2, "A", 2, True), MainBlock(3, 1, "B", 1, False), MainBlock(1, 3, "A", 2, True))
)


def structure(architecture: Architecture) -> list[str]:
    """Every module of the network, in words."""
    return [repr(module) for module in build(architecture, SPACE.input_shape, SPACE.classes).modules()]


@pytest.mark.parametrize("gene", range(genes.FIRST_BLOCK_GENE + 3 * genes.GENES_PER_BLOCK))
def test_each_active_gene_changes_the_built_network(gene: int) -> None:
    genome = SPACE.encode([BASE])
    before = structure(SPACE.decode(genome)[0])
    name = genes.GENE_NAMES[gene]
    if name == "M":
        genes.block_view(genome)[0, 3] = genes.block_view(genome)[0, 2]
        genome[0, gene] = 4
    elif name == "KS0":
        genome[0, gene] = 5
    elif name.startswith("CT"):
        genome[0, gene] = 3 - genome[0, gene]
    elif name.startswith("skip"):
        genome[0, gene] = 1 - genome[0, gene]
    else:
        genome[0, gene] += 1
    assert structure(SPACE.decode(genome)[0]) != before


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (2, 9, 7)])
def test_images_become_logits(shape: tuple[int, int, int]) -> None:
    network = build(BASE, shape, 7).eval()
    assert network(torch.randn(4, *shape)).shape == (4, 7)


def test_branches_are_summed_as_separate_branches_would_be() -> None:
    """A block of three branches equals three blocks of one branch with the same weights, added before the ReLU."""
    torch.manual_seed(0)
    for conv_type in ("A", "B"):
        together = ResidualBlock(6, 8, 2, MainBlock(1, 3, conv_type, 1, False)).eval()
        for module in together.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight)
                nn.init.normal_(module.bias)
        x = torch.randn(2, 6, 8, 8)
        total = torch.zeros(2, 8, 4, 4)
        for branch in range(3):
            alone = ResidualBlock(6, 8, 2, MainBlock(1, 1, conv_type, 1, False)).eval()
            for mine, theirs in zip(alone.body, list(together.body)[:-1], strict=True):
                for name, tensor in mine.state_dict().items():
                    if tensor.dim():
                        whole = theirs.state_dict()[name]
                        tensor.copy_(whole[branch * len(tensor) : (branch + 1) * len(tensor)])
            total += alone.body(x)
        torch.testing.assert_close(together(x), torch.relu(total), rtol=1e-4, atol=1e-5)


def test_a_skip_adds_the_input_and_downsampling_halves_the_image() -> None:
    block = ResidualBlock(8, 8, 1, MainBlock(1, 1, "A", 1, True)).eval()
    nn.init.zeros_(block.body[0].weight)  # type: ignore[arg-type]
    x = torch.rand(2, 8, 5, 5)
    assert torch.equal(block(x), x)
    assert isinstance(block.skip, nn.Identity)
    strided = ResidualBlock(8, 8, 2, MainBlock(1, 1, "B", 1, True))
    assert isinstance(strided.skip, nn.Sequential)
    assert strided(x).shape == (2, 8, 3, 3)


def test_every_convolution_is_followed_by_batch_norm() -> None:
    seen: list[str] = []

    def note(module: nn.Module, _: object, __: Tensor) -> None:
        seen.append(type(module).__name__)

    network = build(reference("resnext29-4"), (3, 8, 8), 10)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
            module.register_forward_hook(note)
    network(torch.randn(2, 3, 8, 8))
    assert seen == ["Conv2d", "BatchNorm2d"] * (len(seen) // 2)


def test_a_seed_gives_the_same_weights() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(5)
        states.append(copy.deepcopy(build(BASE, (1, 8, 8), 10).state_dict()))
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
