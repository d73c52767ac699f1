"""Search spaces: genomes, architectures, layers, networks. Names are imported on first use; building needs torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ohmnas.lazy import attach

if TYPE_CHECKING:
    from ohmnas.spaces.bounds import Bounds
    from ohmnas.spaces.cells import CellSpace
    from ohmnas.spaces.codesign import CoDesignSpace
    from ohmnas.spaces.mobile import MobileArchitecture, MobileSpace, MobileStage
    from ohmnas.spaces.resnet import Architecture, MainBlock, ResNetSpace, reference
    from ohmnas.spaces.space import Space
else:
    __getattr__, __dir__ = attach(
        __name__,
        {
            "Architecture": "ohmnas.spaces.resnet",
            "Bounds": "ohmnas.spaces.bounds",
            "CellSpace": "ohmnas.spaces.cells",
            "CoDesignSpace": "ohmnas.spaces.codesign",
            "MainBlock": "ohmnas.spaces.resnet",
            "MobileArchitecture": "ohmnas.spaces.mobile",
            "MobileSpace": "ohmnas.spaces.mobile",
            "MobileStage": "ohmnas.spaces.mobile",
            "ResNetSpace": "ohmnas.spaces.resnet",
            "Space": "ohmnas.spaces.space",
            "reference": "ohmnas.spaces.resnet",
        },
    )

__all__ = [
    "Architecture",
    "Bounds",
    "CellSpace",
    "CoDesignSpace",
    "MainBlock",
    "MobileArchitecture",
    "MobileSpace",
    "MobileStage",
    "ResNetSpace",
    "Space",
    "reference",
]
