"""`Place`: the part of the shared weights that a layer of a network uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.space import Space

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A layer of a network and the shared layer that holds its weights.

    A layer uses the first output and input channels of the shared layer and the centre of its kernels. A layer that
    computes several branches at once uses one shared layer for each branch.
    """

    path: str
    """Path of the layer in the network."""
    layer: str
    """Name of the shared layer."""
    sizes: Sizes
    """Shape of the weights of one branch."""
    full: tuple[Sizes, ...]
    """Shape of the shared weights of each branch; no size is smaller than in `sizes`."""

    @property
    def branches(self) -> int:
        """Number of branches."""
        return len(self.full)


class Sharing(Protocol):
    """Maps the networks of a space within bounds to shared weights."""

    def places(self, architecture: object) -> list[Place]:
        """The place of each layer with parameters: convolutions (with their batch norm), linear layers, other norms."""
        ...


def sharing_of(space: Space, within: Bounds, max_params: float, max_macs: float) -> Sharing:
    """Return the sharing of the networks of a space within bounds.

    Args:
        space: a `ResNetSpace` or a `CellSpace`.
        within: bounds on genes.
        max_params: largest number of parameters of a network.
        max_macs: largest number of multiply-accumulates of a network.

    Raises:
        InvalidValueError: networks of this space have no shared weights yet.
    """
    from ohmnas.oneshot.cells import CellSharing
    from ohmnas.oneshot.resnet import ResNetSharing
    from ohmnas.spaces.cells.space import CellSpace
    from ohmnas.spaces.resnet.space import ResNetSpace

    if isinstance(space, ResNetSpace):
        return ResNetSharing(space.input_shape, space.classes, within, max_params, max_macs)
    if isinstance(space, CellSpace):
        return CellSharing(space.input_shape[0], space.classes)
    raise InvalidValueError(f"networks of the {space.name} space cannot share weights: use the resnet or cells space")
