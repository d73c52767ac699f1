from __future__ import annotations

from pathlib import Path

import pytest

from ohmnas.datasets.plots import plot_table
from ohmnas.datasets.table import read_table
from ohmnas.errors import StorageError


@pytest.mark.filterwarnings("ignore")
def test_each_chip_of_a_table_is_drawn(tmp_path: Path) -> None:
    table = read_table("digits")
    paths = plot_table(table, tmp_path)
    kinds = table.measured[["hardware", "fidelity"]].drop_duplicates().to_numpy().tolist()
    assert {path.name for path in paths} == {f"digits-{hardware}-{fidelity}.png" for hardware, fidelity in kinds}
    for path in paths:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size > 20_000


@pytest.mark.filterwarnings("ignore")
def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        plot_table(read_table("digits"), tmp_path / "none")
