"""Reference networks: well-known architectures to compare results with.

ResNets for small images: He et al., CVPR 2016 (section 4.2), with 1x1 convolutions where the shape changes; the suffix
``-w8`` means 8 instead of 16 stem channels, for tight budgets. ResNet-18/34/50: the same paper (table 1) with the usual
3x3 stem for small images. Wide ResNets: Zagoruyko and Komodakis, BMVC 2016. ResNeXt-like: Xie et al., CVPR 2017; here
each branch has a quarter of the out channels inside.
"""

from __future__ import annotations

from ohmnas.lookup import look_up
from ohmnas.spaces.resnet.architecture import Architecture, ConvType, MainBlock


def _network(
    stem: int, repeats: tuple[int, ...], widening: tuple[int, ...], conv_type: ConvType = "A", branches: int = 1
) -> Architecture:
    blocks = tuple(MainBlock(r, branches, conv_type, w, True) for r, w in zip(repeats, widening, strict=True))
    return Architecture(stem, 3, blocks)


_CIFAR_DEPTHS = {8: 1, 14: 2, 20: 3, 32: 5, 44: 7, 56: 9}

REFERENCES: dict[str, Architecture] = {
    **{f"resnet{depth}-w8": _network(8, (r,) * 3, (1, 2, 2)) for depth, r in _CIFAR_DEPTHS.items()},
    **{f"resnet{depth}": _network(16, (r,) * 3, (1, 2, 2)) for depth, r in _CIFAR_DEPTHS.items()},
    "wrn10-2": _network(16, (1, 1, 1), (2, 2, 2)),
    "wrn16-4": _network(16, (2, 2, 2), (4, 2, 2)),
    "resnet18": _network(64, (2, 2, 2, 2), (1, 2, 2, 2)),
    "resnet34": _network(64, (3, 4, 6, 3), (1, 2, 2, 2)),
    "resnet50": _network(64, (3, 4, 6, 3), (4, 2, 2, 2), "B"),
    "resnext29-4": _network(64, (3, 3, 3), (4, 2, 2), "B", branches=4),
}
"""Name -> architecture, from small to large within a family."""


def reference(name: str) -> Architecture:
    """Return the reference network with this name.

    Raises:
        UnknownNameError: the name is unknown; the message lists the known names.
    """
    return look_up("reference network", REFERENCES, name)
