"""Build ResNet-like networks as torch modules, layer by layer.

The branches of a residual block are computed together: their first convolutions read the same input and form one
convolution with all their channels. Each later layer is one grouped convolution with one group per branch. The network
and its parameters stay the same, but it needs far fewer kernel launches.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ohmnas.spaces.modules import BranchSum, MeanOverPixels, RunsChains
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock


class ResidualBlock(RunsChains):
    """Sum of parallel branches and the skip, if there is one, then ReLU."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, block: MainBlock) -> None:
        """Build the layers of one residual block of the main block `block`."""
        super().__init__()
        self.branches = block.branches
        inner = out_channels if block.conv_type == "A" else max(out_channels // 4, 1)
        if block.conv_type == "A":
            layers = [
                *_conv_norm(in_channels, inner, 3, stride, self.branches, shared_input=True),
                nn.ReLU(inplace=True),
                *_conv_norm(inner, out_channels, 3, 1, self.branches),
            ]
        else:
            layers = [
                *_conv_norm(in_channels, inner, 1, 1, self.branches, shared_input=True),
                nn.ReLU(inplace=True),
                *_conv_norm(inner, inner, 3, stride, self.branches),
                nn.ReLU(inplace=True),
                *_conv_norm(inner, out_channels, 1, 1, self.branches),
            ]
        if self.branches > 1:
            layers.append(BranchSum(self.branches))
        self.body = nn.Sequential(*layers)
        self.skip: nn.Module | None = None
        if block.skip:
            changes = stride != 1 or in_channels != out_channels
            self.skip = nn.Sequential(*_conv_norm(in_channels, out_channels, 1, stride)) if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, in_channels, h, w)`` -> ``(batch, out_channels, h', w')``."""
        y: Tensor = self.body(x)
        if self.skip is not None:
            y = y + self.skip(x)
        return torch.relu(y)


def _conv_norm(
    in_channels: int, out_channels: int, kernel: int, stride: int, branches: int = 1, shared_input: bool = False
) -> list[nn.Module]:
    """Return a convolution and its batch norm for all branches at once; channels are per branch."""
    convolution = nn.Conv2d(
        in_channels if shared_input else in_channels * branches,
        out_channels * branches,
        kernel,
        stride,
        padding=kernel // 2,
        groups=1 if shared_input else branches,
        bias=False,
    )
    return [convolution, nn.BatchNorm2d(out_channels * branches)]


def build(architecture: Architecture, input_shape: tuple[int, int, int], classes: int) -> nn.Sequential:
    """Build the network with random initial weights (torch's global generator; He et al. 2015, fan out).

    Args:
        architecture: architecture to build.
        input_shape: channels, height, width of an image; only the channels are used.
        classes: number of outputs.

    Returns:
        A module from ``(batch, *input_shape)`` to logits ``(batch, classes)``.
    """
    stem = architecture.stem_channels
    layers: list[nn.Module] = [*_conv_norm(input_shape[0], stem, architecture.stem_kernel, 1), nn.ReLU(inplace=True)]
    width = stem
    for index, (block, out) in enumerate(zip(architecture.blocks, architecture.channels, strict=True)):
        for repeat in range(block.residual_blocks):
            layers.append(ResidualBlock(width, out, 2 if index > 0 and repeat == 0 else 1, block))
            width = out
    network = nn.Sequential(*layers, MeanOverPixels(), nn.Linear(width, classes))
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network
