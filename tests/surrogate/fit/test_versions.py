"""Surrogates say which versions fitted them."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from ohmnas.errors import BrokenFileError
from ohmnas.surrogate.fit.versions import versions
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.shipped import load_surrogate
from tests.surrogate.conftest import edit


def test_versions_are_those_that_are_installed() -> None:
    assert {"ohmnas", "numpy", "scipy", "scikit-learn", "xgboost"} == set(versions())
    assert versions() == {name: metadata.version(name) for name in versions()}


def test_a_surrogate_keeps_the_versions_that_fitted_it(surrogate: SurrogateModel, file: Path) -> None:
    assert surrogate.provenance["versions"] == versions()
    edit(file, lambda header: header["provenance"]["versions"].update(xgboost="2.1.4"))
    assert load_surrogate(file).provenance["versions"]["xgboost"] == "2.1.4"


def test_surrogates_without_versions_are_read(file: Path) -> None:
    edit(file, lambda header: header["provenance"].pop("versions"))
    assert "versions" not in load_surrogate(file).provenance


@pytest.mark.parametrize("value", ["3.2", ["3.2"], {"xgboost": 3.2}, None])
def test_versions_that_are_not_texts_are_refused(value: object, file: Path) -> None:
    edit(file, lambda header: header["provenance"].update(versions=value))
    with pytest.raises(BrokenFileError, match="provenance: versions"):
        load_surrogate(file)
