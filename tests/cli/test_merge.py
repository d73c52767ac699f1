from __future__ import annotations

from pathlib import Path

from ohmnas.datasets.store import Store
from tests.datasets.conftest import made_rows

from .conftest import Ohmnas


def test_a_person_sees_what_came_of_each_source(ohmnas: Ohmnas, tmp_path: Path) -> None:
    rows = made_rows(5)
    for name, part in (("a", rows[:3]), ("b", rows[2:])):
        with Store(tmp_path / f"{name}.sqlite") as store:
            store.add(part)
    words = ("merge", tmp_path / "a.sqlite", tmp_path / "b.sqlite", "--store", tmp_path / "all.sqlite")
    assert "5 new rows in" in ohmnas(*words).out
    values = ohmnas(*words, "--json").values
    assert [(s["rows"], s["new"], s["other_results"]) for s in values["sources"]] == [(3, 0, 0), (3, 0, 0)]
    assert "there is no store" in ohmnas("merge", tmp_path / "c.sqlite", "--store", tmp_path / "all.sqlite").sentence
