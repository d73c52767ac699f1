"""Build NAS-Bench-201 networks as torch modules, layer by layer as published."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ohmnas.spaces.cells.cell import EDGES, NODES, Cell
from ohmnas.spaces.cells.layers import CELLS, CHANNELS
from ohmnas.spaces.modules import MeanOverPixels, RunsChains


class CellModule(RunsChains):
    """One cell. `layers` maps the name of each edge that is not ``none`` to its module."""

    def __init__(self, cell: Cell, channels: int) -> None:
        """Build the layers."""
        super().__init__()
        self.edges = [(f"e{source}{target}", source, target) for source, target in EDGES]
        self.layers = nn.ModuleDict()
        for (name, *_), operation in zip(self.edges, cell.operations, strict=True):
            layer = _layer(operation, channels)
            if layer is not None:
                self.layers[name] = layer

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, c, h, w)`` -> the same shape; zeros if no path reaches the output."""
        nodes: list[Tensor | None] = [x, *([None] * (NODES - 1))]
        for name, source, target in self.edges:
            value = nodes[source]
            if name in self.layers and value is not None:
                result, sum_ = self.layers[name](value), nodes[target]
                nodes[target] = result if sum_ is None else sum_ + result
        end = nodes[-1]
        return torch.zeros_like(x) if end is None else end


def _layer(operation: str, channels: int) -> nn.Module | None:
    if operation == "none":
        return None
    if operation == "skip_connect":
        return nn.Identity()
    if operation == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return nn.Sequential(*_relu_conv_norm(channels, channels, 3 if operation == "nor_conv_3x3" else 1))


def _relu_conv_norm(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False)
    return [nn.ReLU(), convolution, nn.BatchNorm2d(out_channels)]


class Reduction(RunsChains):
    """A residual block with stride 2. Its shortcut is a mean over 2x2 pixels, followed by a 1x1 convolution."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        """Build the block between two stages."""
        super().__init__()
        self.body = nn.Sequential(
            *_relu_conv_norm(in_channels, out_channels, 3, 2), *_relu_conv_norm(out_channels, out_channels, 3)
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, stride=2, ceil_mode=True), nn.Conv2d(in_channels, out_channels, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, c, h, w)`` -> ``(batch, c', h', w')``, sides halved and rounded up."""
        y: Tensor = self.body(x) + self.shortcut(x)
        return y


def build(cell: Cell, input_shape: tuple[int, int, int], classes: int) -> nn.Sequential:
    """Build the network with random initial weights (torch's global generator; He et al. 2015, fan out).

    Args:
        cell: cell to repeat.
        input_shape: channels, height, width of an image; only the channels are used.
        classes: number of outputs.

    Returns:
        A module from ``(batch, *input_shape)`` to logits ``(batch, classes)``.
    """
    width = CHANNELS[0]
    stem = nn.Conv2d(input_shape[0], width, 3, padding=1, bias=False)
    layers: list[nn.Module] = [stem, nn.BatchNorm2d(width)]
    for channels in CHANNELS:
        if channels != width:
            layers.append(Reduction(width, channels))
            width = channels
        layers.extend(CellModule(cell, channels) for _ in range(CELLS))
    network = nn.Sequential(*layers, nn.BatchNorm2d(width), nn.ReLU(), MeanOverPixels(), nn.Linear(width, classes))
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network
