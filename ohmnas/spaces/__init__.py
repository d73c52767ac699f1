"""Search spaces: genomes, architectures, layers, networks. Torch is imported only to build a network."""

from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.cells import CellSpace
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.mobile import MobileArchitecture, MobileSpace, MobileStage
from ohmnas.spaces.resnet import Architecture, MainBlock, ResNetSpace, reference
from ohmnas.spaces.space import Space

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
