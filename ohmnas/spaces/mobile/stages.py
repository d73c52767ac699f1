"""Stages of a mobile network, for pictures and cost tables."""

from __future__ import annotations

from typing import Final

from ohmnas.spaces.mobile.architecture import SEPARABLE, MobileArchitecture, MobileStage
from ohmnas.spaces.mobile.layers import (
    DEPTHWISE,
    ENTRY_DEPTHWISE,
    ENTRY_EXPAND,
    ENTRY_PROJECT,
    EXPAND,
    HEAD,
    KINDS_PER_STAGE,
    LAYER_KINDS,
    PROJECT,
)
from ohmnas.spaces.stages import Bar, Stage

_NAMES: Final = {
    ENTRY_EXPAND: "expansion, first block",
    EXPAND: "expansions, other blocks",
    ENTRY_DEPTHWISE: "depthwise, first block",
    DEPTHWISE: "depthwise, other blocks",
    ENTRY_PROJECT: "projection, first block",
    PROJECT: "projections, other blocks",
}


def stages(architecture: MobileArchitecture, input_shape: tuple[int, int, int], classes: int) -> tuple[Stage, ...]:
    """Return the stages, with their resolutions for images of this shape."""
    high, wide = (-(-side // architecture.stem_stride) for side in architecture.image_sides(*input_shape[1:]))
    kernel, channels = architecture.stem_kernel, architecture.stem_channels
    words: tuple[str, ...] = (f"{kernel}x{kernel}", f"{channels} channels")
    if architecture.resolution < 8:
        words += (f"{architecture.resolution}/8 of the resolution",)
    found = [Stage("stem", words, ((Bar(channels),),), (high, wide), {0: "stem"})]
    for place, stage in enumerate(architecture.stages):
        high, wide = -(-high // stage.stride), -(-wide // stage.stride)
        first = 1 + place * KINDS_PER_STAGE
        name = f"stage {place + 1}"
        bars = tuple(_bars(stage, channels if block == 0 else stage.width) for block in range(stage.depth))
        kinds = {first + kind: f"{name}: {text}" for kind, text in _NAMES.items()}
        found.append(Stage(name, _words(stage), bars, (high, wide), kinds, stage.depth > 1 and stage.expansion > 0))
        channels = stage.width
    if architecture.head:
        row = 1 + (len(architecture.stages) - 1) * KINDS_PER_STAGE + HEAD
        bar = Bar(architecture.features, "pointwise")
        found.append(Stage("head", ("1x1", f"{bar.channels} channels"), ((bar,),), (high, wide), {row: "head"}))
    linear = Stage("linear", (f"{classes} classes",), ((Bar(classes, "linear"),),), None, {LAYER_KINDS - 1: "linear"})
    return (*found, linear)


def _bars(stage: MobileStage, in_channels: int) -> tuple[Bar, ...]:
    """Return the layers of one block."""
    hidden = in_channels * max(stage.expansion, 1)
    expansion = (Bar(hidden, "pointwise"),) if stage.expands else ()
    return (*expansion, Bar(hidden, "spatial"), Bar(stage.width, "pointwise"))


def _words(stage: MobileStage) -> tuple[str, ...]:
    times = f"{stage.depth} x " if stage.depth > 1 else ""
    kind = "separable" if stage.expansion == SEPARABLE else f"inverted, x{stage.expansion}"
    return f"{times}{kind}", f"depthwise {stage.kernel}x{stage.kernel}", f"{stage.width} channels"
