from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.campaign.merge import merge
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError, UnknownNameError


def _store(path: Path, rows: list[Row]) -> str:
    with Store(path) as store:
        store.add(rows)
    return str(path)


def test_stores_and_tables_become_one_store_with_each_row_once(
    rows: list[Row], write_made_table: Callable[[list[Row]], Path], tmp_path: Path
) -> None:
    target = tmp_path / "all.sqlite"
    other = {**rows[1], "accuracy_1d": 0.123}
    sources = [_store(tmp_path / "a.sqlite", rows[:3]), _store(tmp_path / "b.sqlite", [other, rows[3]])]
    table = str(write_made_table(rows[2:]))
    done = merge(target, [*sources, table])
    assert [(m.rows, m.new, m.other_results) for m in done] == [(3, 3, 0), (2, 1, 1), (4, 2, 0)]
    with Store(target) as store, Store(tmp_path / "whole.sqlite") as whole:
        whole.add(rows)
        assert store.frame().equals(whole.frame())
    assert [m.new for m in merge(target, sources)] == [0, 0]


def test_rows_measured_with_other_settings_are_refused_before_anything_is_written(
    rows: list[Row], tmp_path: Path
) -> None:
    target = tmp_path / "all.sqlite"
    first = _store(tmp_path / "a.sqlite", rows[:2])
    second = _store(tmp_path / "b.sqlite", [{**row, "hw_drift": 0.5} for row in rows[2:]])
    with pytest.raises(InvalidValueError, match=r"hw_drift 0\.5 in .*, but 1\.0 in .*a\.sqlite"):
        merge(target, [first, second])
    assert not target.exists()
    merge(target, [first])
    with pytest.raises(InvalidValueError, match=r"all\.sqlite"):
        merge(target, [second])


def test_a_store_may_have_any_name(rows: list[Row], tmp_path: Path) -> None:
    named = Path(_store(tmp_path / "a.sqlite", rows)).rename(tmp_path / "a.store")
    assert [m.new for m in merge(tmp_path / "all.sqlite", [str(named)])] == [len(rows)]


def test_a_source_that_is_not_there_is_named(rows: list[Row], tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no store .*none\.sqlite"):
        merge(tmp_path / "all.sqlite", [_store(tmp_path / "a.sqlite", rows), str(tmp_path / "none.sqlite")])
    assert not (tmp_path / "all.sqlite").exists()


def test_a_store_with_choices_and_no_rows_is_refused(rows: list[Row], tmp_path: Path) -> None:
    _store(tmp_path / "a.sqlite", rows)
    with Store(tmp_path / "b.sqlite") as store:
        store.choose(("digits", "pcm", "smoke", 0), plan(task("digits"), 9), after=0)
    with pytest.raises(InvalidValueError, match=r"b\.sqlite has selections of an active campaign, but no rows"):
        merge(tmp_path / "all.sqlite", [str(tmp_path / "a.sqlite"), str(tmp_path / "b.sqlite")])


def test_choices_of_active_campaigns_are_merged(rows: list[Row], tmp_path: Path) -> None:
    key, population = ("digits", "pcm", "smoke", 0), plan(task("digits"), 9)
    for name, some in (("a.sqlite", population[:4]), ("b.sqlite", population[4:])):
        _store(tmp_path / name, rows)
        with Store(tmp_path / name) as store:
            store.choose(key, some, after=0)
    merge(tmp_path / "all.sqlite", [str(tmp_path / "a.sqlite"), str(tmp_path / "b.sqlite")], salvage=True)
    with Store(tmp_path / "all.sqlite") as store:
        np.testing.assert_array_equal(store.chosen(key), population[:4])


def test_a_measurement_is_merged_over_a_failure(rows: list[Row], tmp_path: Path) -> None:
    failed = [{**row, "status": "failed", "reason": "stopped after 1 s"} for row in rows]
    target = _store(tmp_path / "all.sqlite", failed)
    (done,) = merge(Path(target), [_store(tmp_path / "a.sqlite", rows)])
    measured = sum(row["status"] == "ok" for row in rows)
    assert (done.new, done.other_results) == (measured, 0)
    with Store(Path(target)) as store:
        assert sum(row["status"] == "ok" for row in store.rows()) == measured


def test_an_empty_file_may_become_a_store(rows: list[Row], tmp_path: Path) -> None:
    (tmp_path / "all.store").touch()
    assert [m.new for m in merge(tmp_path / "all.store", [_store(tmp_path / "a.sqlite", rows)])] == [len(rows)]


def test_an_older_failure_is_merged_over_nothing(rows: list[Row], tmp_path: Path) -> None:
    failed = [{**row, "status": "failed", "reason": "stopped after 60 s"} for row in rows]
    target = _store(tmp_path / "all.sqlite", [{**failed[0], "reason": "needs more than 4 GiB"}, rows[1]])
    source = _store(tmp_path / "a.sqlite", failed[:3])
    counts = [(m.rows, m.new, m.other_results) for _ in range(2) for m in merge(Path(target), [source])]
    assert counts == [(3, 1, 0), (3, 0, 0)]
    with Store(Path(target)) as store:
        reasons = {row["params"]: row["reason"] for row in store.rows()}
    assert [reasons[row["params"]] for row in rows[:3]] == ["needs more than 4 GiB", "", "stopped after 60 s"]
