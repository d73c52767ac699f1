from __future__ import annotations

import pytest
import torch
from torch import nn

from ohmnas.spaces.mobile import MobileArchitecture, MobileSpace, MobileStage, genes
from ohmnas.spaces.mobile.network import MobileBlock, build

SPACE = MobileSpace((1, 8, 8), 10)
BASE = MobileArchitecture(7, 16, 3, 1, 1, (MobileStage(2, 2, 3, 24, 1), MobileStage(1, 0, 5, 32, 2)))


@pytest.mark.parametrize("gene", range(genes.FIRST_STAGE_GENE + 2 * genes.GENES_PER_STAGE))
def test_each_active_gene_changes_the_built_network(gene: int) -> None:
    genome = SPACE.encode([BASE])
    before = repr(build(BASE, SPACE.input_shape, 10))
    values = genes.TABLE[gene].values
    genome[0, gene] = values[(values.index(int(genome[0, gene])) + 1) % len(values)]
    if genes.TABLE[gene].name == "M":
        genome[0, genes.FIRST_STAGE_GENE + 10 : genes.FIRST_STAGE_GENE + 15] = (1, 1, 3, 32, 1)
    assert repr(build(SPACE.decode(genome)[0], SPACE.input_shape, 10)) != before


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 20, 9), (2, 1, 5)])
def test_images_become_logits(shape: tuple[int, int, int]) -> None:
    assert build(BASE, shape, 7).eval()(torch.randn(4, *shape)).shape == (4, 7)


def test_a_block_adds_its_input_without_an_activation() -> None:
    block = MobileBlock(24, MobileStage(2, 2, 3, 24, 1), 1).eval()
    norm = block.body[-1]
    assert isinstance(norm, nn.BatchNorm2d)
    nn.init.zeros_(norm.weight)
    x = torch.randn(2, 24, 5, 5)
    assert torch.equal(block(x), x)


def test_half_the_resolution_is_the_mean_over_two_by_two_pixels() -> None:
    network = build(MobileArchitecture(4, 16, 3, 1, 1, BASE.stages), (1, 8, 8), 10)
    x = torch.randn(2, 1, 8, 8)
    torch.testing.assert_close(network[0](x), nn.functional.avg_pool2d(x, 2))


def test_initial_weights_keep_the_power_of_depthwise_outputs() -> None:
    torch.manual_seed(0)
    network = build(MobileArchitecture(8, 64, 3, 1, 0, (MobileStage(1, 0, 3, 64, 1),)), (1, 8, 8), 10)
    block = network[3]
    assert isinstance(block, MobileBlock)
    depthwise = block.body[0]
    assert isinstance(depthwise, nn.Conv2d)
    assert float(depthwise.weight.detach().std()) == pytest.approx((2 / 9) ** 0.5, rel=0.1)
