"""Reference networks: well-known architectures in the space `mobile`.

MobileNet follows table 1 of Howard et al., 2017. ``mobilenet-w025`` has a quarter of its channels; MLPerf Tiny (Banbury
et al., NeurIPS Datasets and Benchmarks 2021) uses it for visual wake words, with images of 96 x 96 pixels. MobileNetV2
follows table 2 of Sandler et al., CVPR 2018. DS-CNN (Zhang et al., Hello Edge, 2017) is the keyword network of MLPerf
Tiny: a stem and four depthwise separable blocks of 64 channels. The published stem has a 10 x 4 kernel and stride 2.
The space has only square kernels, so the stem of ``ds-cnn`` has a 7 x 7 kernel.

The suffix ``-s1`` marks smaller variants for small images. Their stems have stride 1. ``ds-cnn-s1`` has a 3 x 3 stem;
``ds-cnn-w24-s1`` has the same kernel but only 24 channels. ``mobilenet-w025-s1`` and ``mobilenetv2-s1`` end after the
third stage. ``mobilenetv2-s1`` also has a stem of 16 channels and no head.
"""

from __future__ import annotations

from typing import Final

from ohmnas.spaces.mobile.architecture import SEPARABLE, MobileArchitecture, MobileStage

_V1: Final = ((64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2), (1024, 2, 2))
"""Width, depth and stride of each stage."""
_V2: Final = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, width, depth and stride of each stage."""


def _v1(divisor: int, stages: int, stem_stride: int = 2) -> MobileArchitecture:
    """Return the first `stages` stages of MobileNet, with ``1 / divisor`` of its channels."""
    found = tuple(MobileStage(depth, SEPARABLE, 3, width // divisor, stride) for width, depth, stride in _V1[:stages])
    return MobileArchitecture(8, 32 // divisor, 3, stem_stride, 0, found)


def _v2(stages: int, stem_stride: int, head: int, stem: int = 32) -> MobileArchitecture:
    found = tuple(MobileStage(depth, expansion, 3, width, stride) for expansion, width, depth, stride in _V2[:stages])
    return MobileArchitecture(8, stem, 3, stem_stride, head, found)


def _ds_cnn(width: int, kernel: int, stem_stride: int) -> MobileArchitecture:
    return MobileArchitecture(8, width, kernel, stem_stride, 0, (MobileStage(4, SEPARABLE, 3, width, 1),))


REFERENCES: Final[dict[str, MobileArchitecture]] = {
    "ds-cnn-w24-s1": _ds_cnn(24, 3, 1),
    "ds-cnn-s1": _ds_cnn(64, 3, 1),
    "ds-cnn": _ds_cnn(64, 7, 2),
    "mobilenet-w025-s1": _v1(4, 3, 1),
    "mobilenet-w025": _v1(4, 5),
    "mobilenet": _v1(1, 5),
    "mobilenetv2-s1": _v2(3, 1, 0, 16),
    "mobilenetv2": _v2(7, 2, 4),
}
"""Name -> architecture."""
