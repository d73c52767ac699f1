"""Shared weights of ResNet-like networks: elastic depth, width, branches, stem kernel, block type and skip.

Each residual block has its own weights, by main block, number in the main block, block type and branch. Narrow networks
use the first channels of wide ones, and small stem kernels the centre of large ones. Each number of main blocks has its
own linear layer. Limits on parameters and multiply-accumulates also limit the channels of late blocks and branches,
which keeps the shared weights small.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, cast

from ohmnas.oneshot.places import Place, Sizes
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.resnet import architecture as arch
from ohmnas.spaces.resnet.architecture import Architecture, ConvType, MainBlock
from ohmnas.spaces.sides import sides

_FIRST_BLOCK: Final = 3
"""Index of the first residual block in the network, after the convolution, batch norm and ReLU of the stem."""
_BETWEEN: Final = 3
"""Modules from one convolution of a block to the next: the convolution itself, batch norm, ReLU."""


@dataclass(frozen=True)
class ResNetSharing:
    """See `Sharing`."""

    input_shape: tuple[int, int, int]
    """Channels, height and width of an image."""
    classes: int
    within: Bounds
    """Bounds on genes."""
    max_params: float
    """Largest number of parameters of a network."""
    max_macs: float
    """Largest number of multiply-accumulates of a network."""

    def places(self, architecture: object) -> list[Place]:
        """See `Sharing`."""
        network = cast(Architecture, architecture)
        stem, kernel = network.stem_channels, network.stem_kernel
        largest = arch.STEM_KERNELS[-1]
        full = (self._stem, self.input_shape[0], largest, largest)
        found = [Place("0", "stem", (stem, self.input_shape[0], kernel, kernel), (full,))]
        width, index = stem, _FIRST_BLOCK
        for number, (block, out) in enumerate(zip(network.blocks, network.channels, strict=True), start=1):
            for repeat in range(block.residual_blocks):
                found += self._block(index, number, repeat, block, width, out)
                width, index = out, index + 1
        depth = len(network.blocks)
        last = (self.classes, self._widest(depth, 0, 0, None))
        return [*found, Place(str(index + 1), f"linear{depth}", (self.classes, width), (last,))]

    def _block(self, index: int, number: int, repeat: int, block: MainBlock, width: int, out: int) -> list[Place]:
        """Places of one residual block."""
        name, kind = f"block{number}.{repeat}", block.conv_type
        before = self._stem if number == 1 else self._widest(number - 1, 0, 0, None)
        found = []
        for layer, (outputs, inputs, kernel) in enumerate(_convolutions(width, out, kind)):
            full = []
            for branch in range(block.branches):
                most = self._widest(number, repeat, branch, kind)
                wide = _convolutions(most if repeat else before, most, kind)[layer]
                full.append((wide[0], wide[1], kernel, kernel))
            sizes = (outputs, inputs, kernel, kernel)
            found.append(Place(f"{index}.body.{layer * _BETWEEN}", f"{name}.{kind}{layer}", sizes, tuple(full)))
        if block.skip and repeat == 0 and (number > 1 or width != out):
            shared: Sizes = (self._widest(number, 0, 0, None), before, 1, 1)
            found.append(Place(f"{index}.skip.0", f"{name}.skip", (out, width, 1, 1), (shared,)))
        return found

    @property
    def _stem(self) -> int:
        """Largest number of channels of the stem."""
        return self.within.high[self.within.genes.index("OC0")]

    def _widest(self, number: int, repeat: int, branch: int, kind: ConvType | None) -> int:
        """Largest number of channels of a residual block of a type; if the type is None, of either type."""
        genes = self.within.genes
        wide = self._stem
        for block in range(1, number + 1):
            wide *= self.within.high[genes.index(f"WF{block}")]
        height, width = sides(*self.input_shape[1:], number)[-1]
        weights = min(self.max_params, self.max_macs / (height * width))  # each weight is used once per pixel
        kinds = (kind,) if kind else arch.CONV_TYPES
        return max(min(wide, _affordable(repeat, branch, one, weights)) for one in kinds)


def _convolutions(width: int, out: int, kind: ConvType) -> list[tuple[int, int, int]]:
    """Outputs, inputs and kernel of each convolution of a branch."""
    if kind == "A":
        return [(out, width, 3), (out, out, 3)]
    inner = max(out // 4, 1)
    return [(inner, width, 1), (inner, inner, 3), (out, inner, 1)]


@cache
def _affordable(repeat: int, branch: int, kind: ConvType, most: float) -> int:
    """Largest number of channels of a residual block in a main block with at most `most` weights.

    The main block also has all earlier residual blocks and branches.
    """
    low, high = 1, _UNLIMITED
    while high - low > 1:  # finds the largest affordable number, or 1
        middle = (low + high) // 2
        least = (branch + 1) * (_weights(middle, kind, 1) + repeat * _weights(middle, kind, 0))
        low, high = (middle, high) if least <= most else (low, middle)
    return low


_UNLIMITED: Final = 1 << 16
"""More channels than any network has."""


def _weights(width: int, kind: ConvType, skipped: int) -> int:
    """Weights of a branch with `width` channels, without its first `skipped` convolutions."""
    return sum(inputs * outputs * kernel**2 for outputs, inputs, kernel in _convolutions(width, width, kind)[skipped:])
