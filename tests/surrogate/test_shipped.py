"""Surrogates that ship fitted are those of the tables that ship."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from ohmnas.datasets.tables.table import read_table
from ohmnas.errors import BrokenFileError
from ohmnas.surrogate import shipped
from ohmnas.surrogate.shipped import (
    FITTED,
    load_surrogate,
    shipped_file,
    shipped_surrogate,
    tables_of_task,
    task_surrogate,
)
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.training_set import TrainingSet
from ohmnas.targets import DEFAULT_NAMES

FILES = sorted(FITTED.glob("*/*.npz"))
MOST = 3_000_000
"""Bytes in all, so that the package stays light."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_each_is_of_the_table_that_ships(path: Path) -> None:
    table, hardware = path.parent.name, path.stem
    model = shipped_surrogate(table, hardware)
    assert model is not None
    provenance = model.provenance
    assert (provenance["table_name"], provenance["hardware"]) == (table, hardware)
    assert provenance["table_sha256"] == read_table(table).card["sha256"]


def test_all_together_are_small() -> None:
    tables = {"cifar10", "cifar10-protocol4", "digits", "people", "spoken-digits"}
    assert {path.parent.name for path in FILES} == tables
    assert sum(path.stat().st_size for path in FILES) < MOST


def test_fitting_again_gives_the_same_predictions() -> None:
    """XGBoost and BLAS of another machine round otherwise, so that trees may split otherwise here and there."""
    model, data = shipped_surrogate("people"), TrainingSet.of(read_table("people"))
    assert model is not None
    again = Surrogate.learn(data).model_
    new = data.space.sample(300, np.random.default_rng(0), max_params=data.provenance["seen"]["max_params"])
    population = np.concatenate([new, data.population])
    one, other = model.predict(population), again.predict(population)
    assert_allclose(one.mean(axis=0), other.mean(axis=0), atol=1e-3)
    assert np.quantile(np.abs(one - other), 0.95) < 5e-3
    assert len(DEFAULT_NAMES) == one.shape[1]


def test_the_usual_chip_is_taken_among_several() -> None:
    usual = shipped_file("digits")
    assert usual is not None
    assert usual.stem == "pcm"
    assert shipped_file("digits", "ideal") is None
    for name in ("mnist", "..", "../fitted/digits", ""):
        assert shipped_file(name) is None
    assert shipped_surrogate("mnist") is None
    assert shipped_surrogate("people", fidelity="paper") is None


def test_a_task_is_predicted_by_its_newest_table_with_the_chip_and_fidelity() -> None:
    assert tables_of_task("digits") == ["digits-protocol4", "digits"]
    assert tables_of_task("people") == ["people"]
    assert tables_of_task("protocol4") == tables_of_task("digit.") == []
    for task, hardware, fidelity, table in (
        ("cifar10", None, None, "cifar10-protocol4"),
        ("cifar10", "pcm", "low", "cifar10"),
        ("digits", None, None, "digits"),
        ("digits", "hermes", None, "digits"),
    ):
        model = task_surrogate(task, hardware, fidelity)
        assert model is not None
        assert model.provenance["table_name"] == table
    assert task_surrogate("digits", "ideal") is None
    assert task_surrogate("digits", fidelity="table") is None
    assert task_surrogate("mnist") is None


def test_surrogates_of_another_version_of_the_table_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "_checksum", lambda _: "0" * 64)
    with pytest.raises(BrokenFileError, match="another version of the table people"):
        shipped_surrogate("people")


def test_the_name_of_a_table_loads_its_surrogate_unless_a_file_has_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_surrogate("people").provenance["table_name"] == "people"
    monkeypatch.chdir(tmp_path)
    load_surrogate("spoken-digits").save("people")
    assert load_surrogate("people").provenance["table_name"] == "spoken-digits"
