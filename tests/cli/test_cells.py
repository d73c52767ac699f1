"""The command line in another space: the cells of NAS-Bench-201, from campaign to search, and never mixed up."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tables.table import genomes, read_table
from ohmnas.datasets.tasks.task import task
from ohmnas.search import read_result
from ohmnas.spaces.cells import OPERATIONS, Cell, CellSpace
from ohmnas.surrogate.shipped import load_surrogate
from tests.datasets.conftest import MadeMeasurements

from .conftest import Ohmnas

CELLS = task("digits").in_space("cells")
SMOKE = ("--task", "digits", "--fidelity", "smoke", "--jobs", "1")


@pytest.fixture
def store(made_measurements: MadeMeasurements, ohmnas: Ohmnas, tmp_path: Path) -> Path:
    """Of made-up measurements of sixty cells."""
    path = tmp_path / "cells.sqlite"
    done = ohmnas("campaign", *SMOKE, "--space", "cells", "--n", "60", "--store", path, "--json").values
    assert (done["measured"], done["failed"]) == (60, 0)
    return path


@pytest.fixture
def table(store: Path, ohmnas: Ohmnas, tmp_path: Path) -> Path:
    path = tmp_path / "cells.csv"
    assert ohmnas("export-table", "--store", store, "--out", path).code == 0
    return path


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_cells_are_trained_and_measured(ohmnas: Ohmnas, tmp_path: Path) -> None:
    store = tmp_path / "s.sqlite"
    words = ("campaign", *SMOKE, "--space", "cells", "--store", store, "--n", "1", "--json")
    assert ohmnas(*words).values["measured"] == 1
    again = ohmnas(*words).values
    assert (again["measured"], again["failed"], again["rows"]) == (0, 0, 1)
    with Store(store, kind=CellSpace) as opened:
        (row,) = opened.rows()
    assert 0 <= float(str(row["accuracy_1d"])) <= 1
    (genome,) = plan(CELLS, 1)
    assert [row[name] for name in CELLS.space.gene_names] == genome.tolist()
    assert (row["params"], row["macs"]) == (CELLS.space.params(genome[None])[0], CELLS.space.macs(genome[None])[0])


def test_a_table_of_cells_round_trips(table: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    read = read_table(table)
    assert read.space == CELLS.space == CellSpace((1, 8, 8), 10)
    assert read.card["space"] == "cells-1"
    planned = plan(CELLS, 60)
    assert sorted(genomes(read.frame).tolist()) == sorted(planned.tolist())
    assert_array_equal(read.space.check(genomes(read.frame)), genomes(read.frame))
    assert "--space cells" in read.card["reproduce"][0]
    store, again = tmp_path / "again.sqlite", tmp_path / "again.csv"
    words = ("campaign", *SMOKE, "--space", "cells", "--n", "60", "--store", store, "--start-from", table, "--json")
    assert ohmnas(*words).values["measured"] == 0
    assert ohmnas("export-table", "--store", store, "--out", again).code == 0
    pd.testing.assert_frame_equal(read_table(again).frame, read.frame)


def test_a_store_of_cells_takes_no_other_networks(store: Path, ohmnas: Ohmnas) -> None:
    refused = ohmnas("campaign", *SMOKE, "--n", "1", "--store", store)
    assert "is a store of the cells-1 space, not of resnet-1: use another store" in refused.sentence
    assert refused.code == 2


def test_a_store_of_other_networks_takes_no_cells(
    made_measurements: MadeMeasurements, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    path = tmp_path / "s.sqlite"
    assert ohmnas("campaign", *SMOKE, "--n", "1", "--store", path).code == 0
    refused = ohmnas("campaign", *SMOKE, "--space", "cells", "--n", "1", "--store", path)
    assert "is a store of the resnet-1 space, not of cells-1: use another store" in refused.sentence
    assert refused.code == 2
    with Store(path) as opened:
        assert len(opened.identities()) == 1


def test_a_campaign_rejects_a_start_table_of_another_space(table: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("campaign", *SMOKE, "--n", "1", "--store", tmp_path / "s.sqlite", "--start-from", table)
    assert "space cells-1 with 1x8x8 images and 10 classes, not the space resnet-1 with" in ohmnas(*words).sentence


def test_tables_of_two_spaces_are_not_merged(
    table: Path, made_measurements: MadeMeasurements, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    store, other = tmp_path / "s.sqlite", tmp_path / "resnet.csv"
    assert ohmnas("campaign", *SMOKE, "--n", "3", "--store", store).code == 0
    assert ohmnas("export-table", "--store", store, "--out", other).code == 0
    refused = ohmnas("merge", table, other, "--store", tmp_path / "both.sqlite")
    assert refused.code == 2
    assert "rows of different spaces cannot be in one store" in refused.sentence
    assert not (tmp_path / "both.sqlite").exists()


def test_cells_are_learned_and_searched(table: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    surrogate, out = tmp_path / "surrogate", tmp_path / "found"
    assert ohmnas("fit", "--table", table, "--fidelity", "smoke", "--out", surrogate).code == 0
    assert load_surrogate(surrogate).space == CELLS.space
    words = ("search", "--surrogate", surrogate, "--iterations", "4", "--population", "20", "--out", out)
    done = ohmnas(*words, "--fix", "E01=nor_conv_1x1", "--fix", "E03=Skip_Connect", "--json")
    assert done.code == 0, done.err
    result = read_result(out / "result.json")
    assert result.space == CELLS.space
    for one in result.top:
        assert isinstance(one.architecture, Cell)
        assert one.architecture.operations[3] == "skip_connect"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--fix", "E01=skip"), f"E01 must be one of {', '.join(OPERATIONS)}, not 'skip'"),
        (("--fix", "E01=7"), f"E01 must be one of {', '.join(OPERATIONS)}, not '7'"),
        (("--range", "E01=none"), "a range must be FROM:TO"),
        (("--fix", "R=3"), "unknown gene 'R': choose E01, E02, E12, E03, E13, E23"),
        (("--fix", "TILE=64"), "TILE is a chip gene, and this search space has only networks"),
    ],
)
def test_bounds_that_cells_have_not_are_one_sentence(
    words: tuple[str, ...], sentence: str, table: Path, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    refused = ohmnas("search", "--table", table, "--fidelity", "smoke", *words, "--out", tmp_path / "found")
    assert sentence in refused.sentence


def test_a_space_that_there_is_not_is_refused_with_those_that_there_are(ohmnas: Ohmnas, tmp_path: Path) -> None:
    refused = ohmnas("campaign", *SMOKE, "--space", "cell", "--n", "1", "--store", tmp_path / "s.sqlite")
    assert "unknown space 'cell': choose resnet, cells, mobile; did you mean cells?" in refused.sentence
    assert not (tmp_path / "s.sqlite").exists()
