"""Registry of search spaces. Plugins can add spaces (`ohmnas.registry`)."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from ohmnas.errors import PluginError, shown
from ohmnas.registry import Registry

if TYPE_CHECKING:
    from ohmnas.spaces.space import Space


_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
"""Pattern of `Space.name`."""


def _fault(name: str, thing: object) -> str:
    """Return the reason why an object is not a space; empty if it is one."""
    from ohmnas.spaces.space import Space

    if not (isinstance(thing, type) and issubclass(thing, Space)):
        return "it is not a subclass of ohmnas.spaces.Space"
    if not isinstance(getattr(thing, "name", None), str) or not hasattr(thing, "architecture_genes"):
        return f"{name} has no name or no architecture_genes"
    if not _NAME.fullmatch(thing.name):
        return (
            "the name of a space must be a lower-case letter and up to 39 lower-case letters, digits or dashes, "
            f"not {shown(thing.name)}"
        )
    for own in SPACES.own:
        if SPACES[own].name == thing.name and SPACES[own] is not thing:
            return f"its name {thing.name} is already the name of the {own} space"
    return ""


SPACES: Final[Registry[type[Any]]] = Registry(
    "space",
    "ohmnas.spaces",
    {
        "resnet": ("ohmnas.spaces.resnet:ResNetSpace", "the ResNet-like space of AnalogNAS"),
        "cells": ("ohmnas.spaces.cells:CellSpace", "the cells of NAS-Bench-201"),
        "mobile": (
            "ohmnas.spaces.mobile:MobileSpace",
            "inverted residuals with depthwise convolutions; also searches the image resolution",
        ),
    },
    _fault,
)
"""Name -> class."""


def space(name: str, input_shape: tuple[int, int, int], classes: int) -> Space:
    """Return the space with this name, for an image shape and a number of classes.

    Raises:
        UnknownNameError: the name is unknown; the message lists the known names.
        PluginError: the package that adds the space cannot be used.
    """
    made: Space = SPACES[name](input_shape, classes)
    return made


def _known() -> dict[str, type[Space]]:
    """Return all spaces by registered name, without the spaces of broken plugins."""
    found = {}
    for name in SPACES:
        with suppress(PluginError):
            found[name] = SPACES[name]
    return found


def kind_with(columns: Collection[str]) -> type[Space] | None:
    """Return the space whose genes are all columns of a table or store; None if there is none.

    If there are several, return the one with the most genes.
    """
    names = {*columns}
    there = [kind for kind in _known().values() if names.issuperset(kind.architecture_genes.names)]
    return max(there, key=lambda kind: len(kind.architecture_genes), default=None)


def kind_called(name: str) -> type[Space] | None:
    """Return the space with this `Space.name`, the name in files, for example ``resnet-1``; None if there is none."""
    return next((kind for kind in _known().values() if kind.name == name), None)


def names_in_files() -> list[str]:
    """Return `Space.name` of all spaces."""
    return [kind.name for kind in _known().values()]


def word_of(name: str) -> str:
    """Return the registered name of the space with this `Space.name`; return unknown names unchanged."""
    return next((word for word, kind in _known().items() if kind.name == name), name)
