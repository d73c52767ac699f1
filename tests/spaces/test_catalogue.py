from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.spaces.catalogue import SPACES, kind_called, kind_with, names_in_files, space, word_of
from ohmnas.spaces.cells import CellSpace
from ohmnas.spaces.codesign import CoDesignSpace, space_of
from ohmnas.spaces.mobile import MobileSpace
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.resnet.genes import GENE_NAMES


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    SPACES.unregister("other")


class Other(CellSpace):
    """A space of another name."""

    name: ClassVar[str] = "other-1"


def test_spaces_are_found_by_the_names_that_people_type() -> None:
    assert SPACES.own == ("resnet", "cells", "mobile")
    assert space("resnet", (1, 8, 8), 10) == ResNetSpace((1, 8, 8), 10)
    assert space("cells", (1, 8, 8), 10) == CellSpace((1, 8, 8), 10)
    assert space("mobile", (1, 8, 8), 10) == MobileSpace((1, 8, 8), 10)
    with pytest.raises(UnknownNameError, match="unknown space 'cell': choose resnet, cells, mobile; did you mean cell"):
        space("cell", (1, 8, 8), 10)


def test_spaces_are_found_by_the_names_in_files_with_chips_and_without() -> None:
    for word in SPACES.own:
        kind = SPACES[word]
        networks = kind((1, 8, 8), 10)
        assert space_of(networks.name, (1, 8, 8), 10) == networks
        assert space_of(f"{networks.name}+chips-1", (1, 8, 8), 10) == CoDesignSpace.on(networks)
        assert kind_called(kind.name) is kind
        assert word_of(kind.name) == word


@pytest.mark.parametrize("name", ["", "resnet", "resnet-2", "+chips-1", "resnet-1+chips-2", "chips-1"])
def test_other_names_in_files_are_refused(name: str) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown space .*: choose resnet-1, cells-1"):
        space_of(name, (1, 8, 8), 10)
    assert kind_called(name) is None
    assert word_of(name) == name


def test_a_space_is_known_by_the_columns_of_a_table() -> None:
    cells = CellSpace.architecture_genes.names
    assert kind_with(["seed", *GENE_NAMES, "params"]) is ResNetSpace
    assert kind_with({*cells, "task"}) is CellSpace
    assert kind_with(["seed", *MobileSpace.architecture_genes.names]) is MobileSpace
    assert kind_with([*cells, *GENE_NAMES]) is ResNetSpace  # the one with more genes
    assert kind_with(cells[:-1]) is None
    assert kind_with([]) is None


def test_a_space_can_be_registered() -> None:
    SPACES.register("other", Other)
    assert space_of("other-1", (1, 8, 8), 10) == Other((1, 8, 8), 10)
    assert word_of("other-1") == "other"
    assert names_in_files() == ["resnet-1", "cells-1", "mobile-1", "other-1"]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (dict, "not a subclass of ohmnas.spaces.Space"),
        (CellSpace((1, 8, 8), 10), "not a subclass of ohmnas.spaces.Space"),
        (
            type("Plus", (CellSpace,), {"name": "cells-1+chips-1"}),
            "the name of a space must be a lower-case letter and up to 39 lower-case letters, digits or dashes",
        ),
        (type("Nameless", (CellSpace,), {"name": None}), "has no name"),
        (type("Twin", (CellSpace,), {"name": "resnet-1"}), "resnet-1 is already the name of the resnet space"),
    ],
)
def test_other_objects_are_not_spaces(kind: object, why: str) -> None:
    with pytest.raises(InvalidValueError, match=why):
        SPACES.register("other", kind)
