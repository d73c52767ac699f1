"""Stages of a ResNet-like network: stem, main blocks, linear layer."""

from __future__ import annotations

from typing import Final

from ohmnas.spaces.resnet.architecture import Architecture, MainBlock
from ohmnas.spaces.resnet.kinds import ENTRY, FIRST, KINDS_PER_BLOCK, LAST, LAYER_KINDS, MIDDLE, SKIP
from ohmnas.spaces.sides import sides
from ohmnas.spaces.stages import Bar, Stage

_NAMES: Final = {
    ENTRY: "first convolutions, first residual block",
    FIRST: "first convolutions, other residual blocks",
    MIDDLE: "middle convolutions",
    LAST: "last convolutions",
    SKIP: "skip convolution",
}


def stages(architecture: Architecture, input_shape: tuple[int, int, int], classes: int) -> tuple[Stage, ...]:
    """Return the stages, with their resolutions for images of this shape."""
    resolution = sides(*input_shape[1:], len(architecture.blocks))
    kernel = architecture.stem_kernel
    found = [
        Stage(
            "stem",
            (f"{kernel}x{kernel}", f"{architecture.stem_channels} channels"),
            ((Bar(architecture.stem_channels),),),
            resolution[0],
            {0: "stem"},
        )
    ]
    for place, (block, channels) in enumerate(zip(architecture.blocks, architecture.channels, strict=True)):
        first = 1 + place * KINDS_PER_BLOCK
        name = f"block {place + 1}"
        found.append(
            Stage(
                name,
                _words(block, channels),
                (_bars(block, channels),) * block.residual_blocks,
                resolution[place],
                {first + kind: f"{name}: {words}" for kind, words in _NAMES.items()},
                block.skip,
            )
        )
    found.append(
        Stage("linear", (f"{classes} classes",), ((Bar(classes, "linear"),),), None, {LAYER_KINDS - 1: "linear"})
    )
    return tuple(found)


def _bars(block: MainBlock, channels: int) -> tuple[Bar, ...]:
    """Return the layers of one residual block."""
    if block.conv_type == "A":
        return (Bar(channels, branches=block.branches),) * 2
    inside = max(channels // 4, 1)
    return (
        Bar(inside, "pointwise", block.branches),
        Bar(inside, "spatial", block.branches),
        Bar(channels, "pointwise", block.branches),
    )


def _words(block: MainBlock, channels: int) -> tuple[str, ...]:
    times = f"{block.residual_blocks} x " if block.residual_blocks > 1 else ""
    kind = "basic" if block.conv_type == "A" else "bottleneck"
    branches = f", {block.branches} branches" if block.branches > 1 else ""
    return f"{times}{kind}{branches}", f"{channels} channels", "with skip" if block.skip else "without skip"
