"""`MobileArchitecture`: readable, frozen view of a network of inverted residuals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from ohmnas.errors import InvalidValueError, in_short, shown

EIGHTHS: Final = 8
"""Unit of the input resolution: eighths of the image's sides."""
RESOLUTIONS: Final = (4, 5, 6, 7, 8)
STEM_CHANNELS: Final = (8, 12, 16, 24, 32, 48, 64)
KERNELS: Final = (3, 5, 7)
STRIDES: Final = (1, 2)
STAGES: Final = (1, 7)
DEPTHS: Final = (1, 2, 3, 4, 5, 6)
SEPARABLE: Final = 0
"""Expansion of a depthwise separable block."""
EXPANSIONS: Final = (SEPARABLE, 1, 2, 3, 4, 6)
WIDTHS: Final = (8, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 112, 128, 160, 192, 256, 320, 512, 1024)
HEADS: Final = (0, 1, 2, 4)


@dataclass(frozen=True, slots=True)
class MobileStage:
    """Blocks of equal width. Each expands its channels, filters every channel, and projects the channels to the width.

    An inverted residual (MobileNetV2) has no activation after its projection, and adds its input if the shape stays the
    same. A depthwise separable block (MobileNet, DS-CNN) has no expansion, a ReLU after its 1x1 convolution, and no
    residual connection.
    """

    depth: int
    """D, 1..6: blocks in a row."""
    expansion: int
    """E: channels inside a block relative to its input: 1, 2, 3, 4 or 6; 0 for depthwise separable blocks."""
    kernel: int
    """K, 3, 5 or 7: kernel size of the depthwise convolutions."""
    width: int
    """W: out channels of each block, one of `WIDTHS`."""
    stride: int
    """S, 1 or 2: stride of the first block."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InvalidValueError: a field has a value that is not allowed.
        """
        _check("depth", self.depth, DEPTHS)
        _check("expansion", self.expansion, EXPANSIONS)
        _check("kernel", self.kernel, KERNELS)
        _check("width", self.width, WIDTHS)
        _check("stride", self.stride, STRIDES)

    @property
    def expands(self) -> bool:
        """True if a 1x1 convolution comes before the depthwise convolution."""
        return self.expansion > 1

    def adds_input(self, block: int, in_channels: int) -> bool:
        """Return True if a block, counted from 0, has a residual connection."""
        same = block > 0 or (self.stride == 1 and self.width == in_channels)
        return self.expansion != SEPARABLE and same


@dataclass(frozen=True, slots=True)
class MobileArchitecture:
    """A network: resized image, stem convolution, stages, an optional 1x1 convolution, average pooling, linear layer.

    Every convolution is followed by batch norm and, except for the projections of inverted residuals, by ReLU.
    """

    resolution: int
    """RES, 4..8: sides of the resized image in eighths of the image's sides, rounded up."""
    stem_channels: int
    """C0: out channels of the first convolution, one of `STEM_CHANNELS`."""
    stem_kernel: int
    """K0, 3, 5 or 7: kernel size of the first convolution."""
    stem_stride: int
    """S0, 1 or 2: stride of the first convolution."""
    head: int
    """HEAD: channels of the last 1x1 convolution relative to the last stage: 1, 2 or 4; 0 for none."""
    stages: tuple[MobileStage, ...]
    """1 to 7 stages, in order."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InvalidValueError: a field has a value that is not allowed.
        """
        _check("resolution", self.resolution, RESOLUTIONS)
        _check("stem_channels", self.stem_channels, STEM_CHANNELS)
        _check("stem_kernel", self.stem_kernel, KERNELS)
        _check("stem_stride", self.stem_stride, STRIDES)
        _check("head", self.head, HEADS)
        if not isinstance(self.stages, tuple) or not all(isinstance(stage, MobileStage) for stage in self.stages):
            raise InvalidValueError("stages must be a tuple of MobileStage")
        if not STAGES[0] <= len(self.stages) <= STAGES[1]:
            raise InvalidValueError(f"an architecture must have 1 to 7 stages, not {len(self.stages)}")

    @property
    def depth(self) -> int:
        """Weight layers on the longest path: stem, convolutions, head, linear layer."""
        blocks = sum(stage.depth * (3 if stage.expands else 2) for stage in self.stages)
        return 2 + blocks + (self.head > 0)

    @property
    def features(self) -> int:
        """Inputs of the linear layer."""
        return self.stages[-1].width * max(self.head, 1)

    def image_sides(self, height: int, width: int) -> tuple[int, int]:
        """Return the sides of the resized image."""
        return -(-height * self.resolution // EIGHTHS), -(-width * self.resolution // EIGHTHS)

    def __str__(self) -> str:
        """Return one line: ``8/8 stem 16@3x3/2 | 2x[e4 k3 24]/2 | [sep k5 32], head x2, depth 11``."""
        parts = [f"{self.resolution}/8 stem {self.stem_channels}@{self.stem_kernel}x{self.stem_kernel}"]
        parts[0] += _stride(self.stem_stride)
        for stage in self.stages:
            times = f"{stage.depth}x" if stage.depth > 1 else ""
            kind = "sep" if stage.expansion == SEPARABLE else f"e{stage.expansion}"
            parts.append(f"{times}[{kind} k{stage.kernel} {stage.width}]{_stride(stage.stride)}")
        head = f", head x{self.head}" if self.head else ""
        return " | ".join(parts) + f"{head}, depth {self.depth}"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; the inverse of `from_dict`."""
        values = asdict(self)
        values["stages"] = list(values["stages"])
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> MobileArchitecture:
        """Build from the values of `to_dict`.

        Raises:
            InvalidValueError: a field is missing, unknown or out of range.
        """
        try:
            stages = tuple(MobileStage(**stage) for stage in values["stages"])
            return cls(**{**values, "stages": stages})
        except (TypeError, KeyError) as error:
            raise InvalidValueError(f"this is not an architecture: {in_short(error, 200)}") from error


def _stride(stride: int) -> str:
    return f"/{stride}" if stride > 1 else ""


def _check(name: str, value: int, values: tuple[int, ...]) -> None:
    if type(value) is not int or value not in values:
        raise InvalidValueError(f"{name} must be one of {', '.join(map(str, values))}, not {shown(value)}")
