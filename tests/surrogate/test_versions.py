"""Surrogates say which versions fitted them."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pytest

from ohmnas.errors import BrokenFileError
from ohmnas.surrogate.persist import HEADER, load
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.versions import versions

from .conftest import edit


def test_versions_are_those_that_are_installed() -> None:
    assert {"ohmnas", "numpy", "scipy", "scikit-learn", "xgboost"} == set(versions())
    assert versions() == {name: metadata.version(name) for name in versions()}


def test_a_surrogate_keeps_the_versions_that_fitted_it(surrogate: Surrogate, folder: Path) -> None:
    assert surrogate.provenance_["versions"] == versions()
    assert json.loads((folder / HEADER).read_text("utf-8"))["provenance"]["versions"] == versions()
    edit(folder, lambda header: header["provenance"]["versions"].update(xgboost="2.1.4"))
    assert load(folder).provenance_["versions"]["xgboost"] == "2.1.4"


def test_surrogates_without_versions_are_read(folder: Path) -> None:
    edit(folder, lambda header: header["provenance"].pop("versions"))
    assert "versions" not in load(folder).provenance_


@pytest.mark.parametrize("value", ["3.2", ["3.2"], {"xgboost": 3.2}, None])
def test_versions_that_are_no_texts_are_refused(value: object, folder: Path) -> None:
    edit(folder, lambda header: header["provenance"].update(versions=value))
    with pytest.raises(BrokenFileError, match="provenance: versions"):
        load(folder)
