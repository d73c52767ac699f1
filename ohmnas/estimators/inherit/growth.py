"""Conditions under which a ResNet-like network can inherit the weights of a smaller one. Needs no torch."""

from __future__ import annotations

from itertools import zip_longest
from typing import Final

from ohmnas.spaces.resnet.architecture import Architecture, MainBlock

SQUEEZE: Final = 4
"""Out channels per inner channel of a bottleneck."""


def inner_channels(block: MainBlock, channels: int) -> int:
    """Channels inside a branch, given its out channels."""
    return channels if block.conv_type == "A" else max(channels // SQUEEZE, 1)


def growth_fault(parent: Architecture, child: Architecture, sides: tuple[int, int]) -> str:
    """Return the reason why a child cannot compute the function of its parent; empty if it can.

    The child may have more stem channels, a larger stem kernel, more widening, more branches, more residual blocks and
    more main blocks. Its convolution types and residual connections must be the same as the parent's.

    Args:
        parent: the trained network.
        child: the network that inherits its weights.
        sides: height and width of an image.
    """
    if child.stem_channels < parent.stem_channels or child.stem_kernel < parent.stem_kernel:
        return "its stem is smaller"
    if len(child.blocks) < len(parent.blocks):
        return "it has fewer main blocks"
    width, widths = child.stem_channels, [parent.stem_channels, *parent.channels]
    for place, (block, before) in enumerate(zip_longest(child.blocks, parent.blocks)):
        number, out = place + 1, width * block.widening
        if before is None:
            fault = _appended_fault(out, widths[-1], _sides_of(sides, place))
        else:
            fault = _grown_fault(block, before, out, widths[place + 1])
            if not fault and not place and block.skip and block.widening == 1 < before.widening:
                fault = "has an identity in place of a convolution in its residual connection"
        fault = fault or _added_fault(block, before, out, widths[min(number, len(widths) - 1)])
        if fault:
            return f"its main block {number} {fault}"
        width = out
    return ""


def _grown_fault(block: MainBlock, before: MainBlock, out: int, out_before: int) -> str:
    """Reason why a main block of the parent cannot grow into the child's; empty if it can."""
    if block.conv_type != before.conv_type or block.skip != before.skip:
        return "has a different convolution type or residual connection"
    if block.residual_blocks < before.residual_blocks or block.branches < before.branches or out < out_before:
        return "is smaller"
    return ""


def _added_fault(block: MainBlock, before: MainBlock | None, out: int, parent_channels: int) -> str:
    """Reason why residual blocks that the parent lacks cannot be added; empty if they can.

    In a new main block, or without a residual connection, the branches must pass all channels of the parent.

    Args:
        block: main block of the child.
        before: main block of the parent; None if the parent has no block at this place.
        out: out channels of the child's block.
        parent_channels: number of channels of the parent at this place: those that leave its block, or that reach a new
            block.
    """
    added = before is None or block.residual_blocks > before.residual_blocks
    passes = before is None or not block.skip  # a new main block halves the image; its skip cannot average pixels
    if added and passes and block.branches * inner_channels(block, out) < parent_channels:
        return f"has too few inner channels to pass {parent_channels} channels"
    return ""


def _appended_fault(out: int, parent_channels: int, sides: tuple[int, int]) -> str:
    """Reason why a main block that the parent lacks cannot be added; empty if it can.

    Its first residual block averages 2 x 2 pixels, so each side of the feature map must be even, or 1.
    """
    if any(side > 1 and side % 2 for side in sides):
        return (
            f"would halve a feature map of {sides[0]}x{sides[1]} pixels, but only even sides can be averaged in pairs"
        )
    return "is smaller" if out < parent_channels else ""


def _sides_of(sides: tuple[int, int], place: int) -> tuple[int, int]:
    """Height and width of the feature map that enters main block number `place`, counted from 0."""
    height, width = sides
    for _ in range(max(place - 1, 0)):
        height, width = (height + 1) // 2, (width + 1) // 2
    return height, width
