from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.tables.table import read_table
from ohmnas.errors import InvalidValueError
from ohmnas.report.neighbours import NEAREST, neighbours, table_of
from ohmnas.report.subject import read_subject
from ohmnas.search.result import read_result


def test_a_measured_network_is_its_own_nearest_neighbour(found: Path) -> None:
    result = read_result(found / "result.json")
    table = table_of(result)
    assert table is not None
    near = neighbours(result, table)
    assert near is not None
    assert len(near.nearest) == NEAREST
    assert (np.diff(near.distances) >= 0).all()
    names = list(result.space.gene_names)
    genome = tuple(int(gene) for gene in near.rows[names].iloc[17])
    known = neighbours(replace(result, best=replace(result.best, genome=genome)), table)
    assert known is not None
    assert known.nearest[0] == 17
    assert known.distances[0] == pytest.approx(0.0, abs=1e-6)


def test_labels_are_those_of_the_network_in_the_table(found: Path) -> None:
    near = read_subject(found).neighbours
    assert near is not None
    row = near.rows.iloc[5]
    genome = [int(row[name]) for name in read_result(found / "result.json").space.gene_names]
    assert near.labels(genome)["avm"] == row["avm"]
    assert near.labels([gene + 1 for gene in genome]) == {}


def test_another_table_is_refused_and_an_unknown_one_is_not_at_hand(found: Path) -> None:
    result = read_result(found / "result.json")
    with pytest.raises(InvalidValueError, match="trained on a table other than people"):
        table_of(result, "people")
    assert table_of(replace(result, provenance={**result.provenance, "table_name": "mine"})) is None
    assert table_of(replace(result, provenance={**result.provenance, "table_sha256": "0"})) is None


def test_a_result_that_does_not_fit_the_rows_has_no_neighbours(found: Path) -> None:
    result = read_result(found / "result.json")
    strange = replace(result, provenance={**result.provenance, "hardware": "nothing"})
    assert neighbours(strange, read_table("digits")) is None
    assert neighbours(replace(result, provenance={}), read_table("digits")) is None
