from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ohmnas.datasets.tables.plots import plot_table
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tables.table import read_table
from ohmnas.errors import StorageError
from ohmnas.hardware import kind_of
from tests.datasets.conftest import varied_rows


@pytest.mark.filterwarnings("ignore")
def test_each_chip_of_a_table_is_drawn(tmp_path: Path) -> None:
    table = read_table("digits")
    paths = plot_table(table, tmp_path)
    kinds = table.measured[["hardware", "fidelity"]].drop_duplicates().to_numpy().tolist()
    names = {f"digits-{kind_of(hardware)}-{fidelity}.png" for hardware, fidelity in kinds}
    assert {path.name for path in paths} == names
    for path in paths:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size > 20_000


@pytest.mark.filterwarnings("ignore")
def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        plot_table(read_table("digits"), tmp_path / "none")


@pytest.mark.filterwarnings("ignore")
def test_chips_that_are_varied_from_a_preset_are_drawn_together(
    tmp_path: Path, write_made_table: Callable[[list[Row]], Path]
) -> None:
    rows = [row for row in varied_rows(6, 2) if row["technology"] != "hermes"]
    paths = plot_table(read_table(str(write_made_table(rows))), tmp_path)
    assert {path.name for path in paths} == {"digits-varied-pcm-smoke.png", "digits-varied-reram-smoke.png"}
