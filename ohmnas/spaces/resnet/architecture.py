"""`Architecture`: readable, frozen view of a ResNet-like network."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from ohmnas.errors import InvalidValueError, in_short, shown

ConvType = Literal["A", "B"]

STEM_CHANNELS = (8, 128)
STEM_KERNELS: Final = (3, 5, 7)
MAIN_BLOCKS = (1, 5)
RESIDUAL_BLOCKS = (1, 16)
BRANCHES = (1, 12)
CONV_TYPES: tuple[ConvType, ...] = ("A", "B")
WIDENING = (1, 4)


@dataclass(frozen=True, slots=True)
class MainBlock:
    """One main block: residual blocks of equal width and resolution."""

    residual_blocks: int
    """R, 1..16: residual blocks in a row. The first one has stride 2, except in the first main block."""
    branches: int
    """B, 1..12: parallel branches of each residual block, summed."""
    conv_type: ConvType
    """CT: "A" (basic) is 3x3, 3x3. "B" (bottleneck) is 1x1, 3x3, 1x1, with a quarter of the out channels inside."""
    widening: int
    """WF, 1..4: factor applied to the channels of the previous main block, or of the stem for the first main block."""
    skip: bool
    """True if the residual blocks have a residual connection."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            InvalidValueError: a field is outside its range.
        """
        _check_range("residual_blocks", self.residual_blocks, RESIDUAL_BLOCKS)
        _check_range("branches", self.branches, BRANCHES)
        _check_range("widening", self.widening, WIDENING)
        if self.conv_type not in CONV_TYPES:
            raise InvalidValueError(f'conv_type must be "A" or "B", not {shown(self.conv_type)}')
        if not isinstance(self.skip, bool):
            raise InvalidValueError(f"skip must be true or false, not {shown(self.skip)}")


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network: stem convolution, main blocks, global average pooling, linear layer.

    Batch norm follows every convolution. ReLU follows the stem, every convolution of a branch except the last, and the
    sum of the branches and the skip. A skip is the identity, or a 1x1 convolution with batch norm if the stride is 2 or
    the number of channels changes.
    """

    stem_channels: int
    """OC0, 8..128: out channels of the first convolution."""
    stem_kernel: int
    """KS0, 3, 5 or 7: kernel size of the first convolution (stride 1, same padding)."""
    blocks: tuple[MainBlock, ...]
    """1 to 5 main blocks, in order."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            InvalidValueError: a field is outside its range.
        """
        _check_range("stem_channels", self.stem_channels, STEM_CHANNELS)
        if type(self.stem_kernel) is not int or self.stem_kernel not in STEM_KERNELS:
            raise InvalidValueError(f"stem_kernel must be one of {STEM_KERNELS}, not {shown(self.stem_kernel)}")
        if not isinstance(self.blocks, tuple) or not all(isinstance(block, MainBlock) for block in self.blocks):
            raise InvalidValueError("blocks must be a tuple of MainBlock")
        if not MAIN_BLOCKS[0] <= len(self.blocks) <= MAIN_BLOCKS[1]:
            raise InvalidValueError(f"an architecture must have 1 to 5 main blocks, not {len(self.blocks)}")

    @property
    def channels(self) -> tuple[int, ...]:
        """Out channels of each main block."""
        widths: list[int] = []
        width = self.stem_channels
        for block in self.blocks:
            width *= block.widening
            widths.append(width)
        return tuple(widths)

    @property
    def depth(self) -> int:
        """Weight layers on the longest path: stem, convolutions and linear layer, counted as in ResNet-20."""
        return 2 + sum(b.residual_blocks * (2 if b.conv_type == "A" else 3) for b in self.blocks)

    def __str__(self) -> str:
        """Return one line: ``stem 16@3x3 | 3x[basic 16]+skip | 3x[basic 32]+skip, depth 14``."""
        parts = [f"stem {self.stem_channels}@{self.stem_kernel}x{self.stem_kernel}"]
        for block, width in zip(self.blocks, self.channels, strict=True):
            kind = "basic" if block.conv_type == "A" else "bottleneck"
            branches = f" x{block.branches} branches" if block.branches > 1 else ""
            parts.append(f"{block.residual_blocks}x[{kind} {width}{branches}]{'+skip' if block.skip else ''}")
        return " | ".join(parts) + f", depth {self.depth}"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; the inverse of `from_dict`."""
        values = asdict(self)
        values["blocks"] = list(values["blocks"])
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Architecture:
        """Build from the values of `to_dict`.

        Raises:
            InvalidValueError: a field is missing, unknown or out of range.
        """
        try:
            blocks = tuple(MainBlock(**block) for block in values["blocks"])
            return cls(**{**values, "blocks": blocks})
        except (TypeError, KeyError) as error:
            raise InvalidValueError(f"this is not an architecture: {in_short(error, 200)}") from error

    def to_json(self) -> str:
        """Return the architecture as a JSON object on one line."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Architecture:
        """Parse the text of `to_json`.

        Raises:
            InvalidValueError: the text is not JSON or not an architecture.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidValueError(f"this is not JSON: {in_short(error, 200)}") from error
        if not isinstance(values, dict):
            raise InvalidValueError(f"an architecture must be a JSON object, not {type(values).__name__}")
        return cls.from_dict(values)


def _check_range(name: str, value: int, bounds: tuple[int, int]) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not bounds[0] <= value <= bounds[1]:
        raise InvalidValueError(f"{name} must be a whole number from {bounds[0]} to {bounds[1]}, not {shown(value)}")
