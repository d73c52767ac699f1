"""The built network: cells that compute the same, compute the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ohmnas.spaces.cells.cell import EDGES, REFERENCES, Cell
from ohmnas.spaces.cells.genes import CONV1, CONV3, NONE, POOL, SKIP
from ohmnas.spaces.cells.layers import CELLS, CHANNELS
from ohmnas.spaces.cells.network import CellModule, Reduction, build

from .conftest import SPACE, cell


def computed(operations: tuple[int, ...], weights: dict[str, str], given: CellModule, x: torch.Tensor) -> torch.Tensor:
    """The output of a cell whose edges have the layers of the edges of another one."""
    module = CellModule(cell(*operations), x.shape[1]).eval()
    for mine, theirs in weights.items():
        module.layers[mine].load_state_dict(given.layers[theirs].state_dict())
    output: torch.Tensor = module(x)
    return output


@pytest.mark.parametrize(
    ("one", "other", "weights"),
    [
        # inner nodes change their names
        (
            (CONV3, CONV1, NONE, NONE, POOL, CONV3),
            (CONV1, CONV3, NONE, NONE, CONV3, POOL),
            {"e01": "e02", "e02": "e01", "e13": "e23"},
        ),
        # operations on nothing, and one whose result nobody reads
        ((CONV3, NONE, NONE, CONV1, NONE, NONE), (NONE, NONE, NONE, CONV1, NONE, NONE), {"e03": "e03"}),
        ((NONE, SKIP, CONV3, NONE, CONV3, CONV1), (NONE, NONE, NONE, CONV1, NONE, NONE), {"e03": "e23"}),
        # a skip hands a sum on: (conv(x) + x) by way of node 2, or at the end
        ((CONV3, SKIP, SKIP, NONE, NONE, SKIP), (NONE, NONE, NONE, SKIP, NONE, NONE), None),
        ((CONV3, SKIP, SKIP, NONE, NONE, SKIP), (CONV3, NONE, NONE, SKIP, SKIP, NONE), {"e01": "e01"}),
        ((NONE, CONV3, NONE, SKIP, NONE, POOL), (CONV3, NONE, NONE, SKIP, POOL, NONE), {"e01": "e02"}),
    ],
)
def test_cells_with_one_genome_compute_the_same(
    one: tuple[int, ...], other: tuple[int, ...], weights: dict[str, str] | None
) -> None:
    torch.manual_seed(0)
    first, second = SPACE.canonical(np.array([one, other], dtype=np.int16))
    given, x = CellModule(cell(*one), 8).eval(), torch.randn(2, 8, 5, 5)
    with torch.no_grad():
        if weights is None:  # of other cells this is not so
            assert (first != second).any()
            assert not torch.allclose(given(x), computed(other, {}, given, x))
            return
        assert (first == second).all()
        torch.testing.assert_close(computed(other, weights, given, x), given(x))


def test_the_network_is_the_published_one() -> None:
    network = build(REFERENCES["cells-resnet"], (3, 32, 32), 10)
    kinds = [type(module).__name__ for module in network]
    stage = ["CellModule"] * CELLS
    ends = ["BatchNorm2d", "ReLU", "MeanOverPixels", "Linear"]
    assert kinds == ["Conv2d", "BatchNorm2d", *stage, "Reduction", *stage, "Reduction", *stage, *ends]
    assert [module.body[1].out_channels for module in network if isinstance(module, Reduction)] == list(CHANNELS[1:])
    first = network[2]
    assert isinstance(first, CellModule)
    order = [type(module).__name__ for module in first.layers["e01"].children()]
    assert order == ["ReLU", "Conv2d", "BatchNorm2d"]


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (2, 9, 7), (1, 1, 1)])
def test_images_become_logits(shape: tuple[int, int, int]) -> None:
    for one in (REFERENCES["cells-resnet"], Cell(("none",) * 6), Cell(("avg_pool_3x3",) * 6)):
        network = build(one, shape, 7).eval()
        with torch.no_grad():
            assert network(torch.randn(3, *shape)).shape == (3, 7)


def test_each_edge_that_does_something_has_a_layer_of_its_name() -> None:
    module = CellModule(cell(CONV3, NONE, CONV1, SKIP, POOL, NONE), 4)
    assert {name: type(layer) for name, layer in module.layers.items()} == {
        "e01": nn.Sequential,
        "e12": nn.Sequential,
        "e03": nn.Identity,
        "e13": nn.AvgPool2d,
    }
    assert [(source, target) for _, source, target in module.edges] == list(EDGES)


def test_a_mean_over_pixels_at_the_rim_is_over_those_that_are_there() -> None:
    """As published: `count_include_pad=False`."""
    module = CellModule(cell(NONE, NONE, NONE, POOL, NONE, NONE), 2)
    assert torch.allclose(module(torch.ones(1, 2, 4, 4)), torch.ones(1, 2, 4, 4))


def test_a_seed_gives_the_same_weights() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(5)
        states.append(build(REFERENCES["cells-conv3x3"], (1, 8, 8), 10).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_gradients_reach_every_layer_that_the_output_depends_on() -> None:
    network = build(REFERENCES["cells-resnet"], (1, 8, 8), 10)
    network(torch.randn(4, 1, 8, 8)).square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
