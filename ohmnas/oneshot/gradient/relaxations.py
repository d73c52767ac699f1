"""Relaxations of spaces by name."""

from __future__ import annotations

from ohmnas.errors import InvalidValueError
from ohmnas.oneshot.gradient.cells import CellRelaxation
from ohmnas.oneshot.gradient.choices import Relaxation
from ohmnas.oneshot.gradient.resnet import ResNetRelaxation
from ohmnas.oneshot.gradient.settings import Settings
from ohmnas.spaces.cells.space import CellSpace
from ohmnas.spaces.resnet.space import ResNetSpace
from ohmnas.spaces.space import Space


def relaxed(space: Space, settings: Settings) -> Relaxation:
    """Return the relaxation of a space.

    Raises:
        InvalidValueError: the space has no relaxation, or the remedy or the size of the search network does not fit it.
    """
    if isinstance(space, CellSpace):
        return CellRelaxation(space, settings.channels, settings.cells)
    if isinstance(space, ResNetSpace):
        if settings.remedy in ("auxiliary", "early-stop"):
            raise InvalidValueError(f"the remedy {settings.remedy} is for the cells space: use none or perturb")
        return ResNetRelaxation(space, settings.channels, settings.blocks, settings.cells)
    raise InvalidValueError(f"a gradient search needs the cells or resnet space, not {space.name}")
