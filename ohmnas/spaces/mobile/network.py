"""Build mobile networks as torch modules."""

from __future__ import annotations

from torch import Tensor, nn

from ohmnas.spaces.mobile.architecture import SEPARABLE, MobileArchitecture, MobileStage
from ohmnas.spaces.modules import MeanOverPixels, RunsChains


class MobileBlock(RunsChains):
    """Expansion if there is one, depthwise convolution and projection; plus the input if `MobileStage.adds_input`."""

    def __init__(self, in_channels: int, stage: MobileStage, block: int) -> None:
        """Build one block of a stage, counted from 0."""
        super().__init__()
        stride = stage.stride if block == 0 else 1
        hidden = in_channels * max(stage.expansion, 1)
        layers: list[nn.Module] = []
        if stage.expands:
            layers += [*_conv_norm(in_channels, hidden, 1), nn.ReLU(inplace=True)]
        layers += [*_conv_norm(hidden, hidden, stage.kernel, stride, hidden), nn.ReLU(inplace=True)]
        layers += _conv_norm(hidden, stage.width, 1)
        if stage.expansion == SEPARABLE:
            layers.append(nn.ReLU(inplace=True))
        self.body = nn.Sequential(*layers)
        self.adds_input = stage.adds_input(block, in_channels)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, in_channels, h, w)`` -> ``(batch, width, h', w')``."""
        y: Tensor = self.body(x)
        return y + x if self.adds_input else y


def _conv_norm(in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(out_channels)]


def build(architecture: MobileArchitecture, input_shape: tuple[int, int, int], classes: int) -> nn.Sequential:
    """Build the network with random initial weights (torch's global generator; He et al. 2015, fan out).

    Args:
        architecture: architecture to build.
        input_shape: channels, height, width of an image, before it is resized by averaging over pixels.
        classes: number of outputs.

    Returns:
        A module from ``(batch, *input_shape)`` to logits ``(batch, classes)``.
    """
    channels, *image = input_shape
    layers: list[nn.Module] = []
    if (sides := architecture.image_sides(*image)) != tuple(image):
        layers.append(nn.AdaptiveAvgPool2d(sides))
    width = architecture.stem_channels
    layers += _conv_norm(channels, width, architecture.stem_kernel, architecture.stem_stride)
    layers.append(nn.ReLU(inplace=True))
    for stage in architecture.stages:
        for block in range(stage.depth):
            layers.append(MobileBlock(width, stage, block))
            width = stage.width
    if architecture.head:
        layers += [*_conv_norm(width, architecture.features, 1), nn.ReLU(inplace=True)]
    network = nn.Sequential(*layers, MeanOverPixels(), nn.Linear(architecture.features, classes))
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            # the fan out of a depthwise convolution is its kernel area: each input channel has one output channel
            fan = module.weight[0, 0].numel() * module.out_channels // module.groups
            nn.init.normal_(module.weight, 0.0, (2.0 / fan) ** 0.5)
    return network
