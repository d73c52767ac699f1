"""Headers of saved surrogates hold what a search relies on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ohmnas.errors import BrokenFileError, InvalidValueError
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.shipped import load_surrogate

from .conftest import Header, edit


@pytest.mark.parametrize("key", ["table_sha256", "task", "hardware", "fidelity", "rows", "seen"])
def test_provenance_needs_what_a_search_relies_on(
    key: str, surrogate: SurrogateModel, file: Path, tmp_path: Path
) -> None:
    edit(file, lambda header: header["provenance"].pop(key))
    with pytest.raises(BrokenFileError, match=f"provenance: {key}"):
        load_surrogate(file)
    poor = {name: value for name, value in surrogate.provenance.items() if name != key}
    with pytest.raises(InvalidValueError, match=f"provenance: {key}"):
        replace(surrogate, provenance=poor).save(tmp_path / "poor")


@pytest.mark.parametrize(
    "change",
    [
        {"max_params": "x"},
        {"max_params": 10.5},
        {"min_params": 300_000},
        {"max_macs": 0},
        {"max_macs": 10**400},
        {"min_params": None},
        {"more": 1},
    ],
    ids=str,
)
def test_costs_seen_are_whole_numbers_in_their_order(change: Header, file: Path) -> None:
    edit(file, lambda header: header["provenance"]["seen"].update(change))
    with pytest.raises(BrokenFileError, match="seen"):
        load_surrogate(file)


def test_further_provenance_is_kept_if_results_can_carry_it(file: Path) -> None:
    edit(file, lambda header: header["provenance"].update(by="me"))
    assert load_surrogate(file).provenance["by"] == "me"
    edit(file, lambda header: header["provenance"].update(by=float("nan")))
    with pytest.raises(BrokenFileError, match="provenance: by"):
        load_surrogate(file)
