from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tables.summary import choices, groups, labels, learned, relations, spread
from ohmnas.datasets.tables.table import MeasuredTable, genomes, read_table
from ohmnas.datasets.tasks.task import task
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock
from ohmnas.spaces.resnet.genes import GENE_NAMES
from tests.datasets.conftest import made_rows, varied_rows


@pytest.fixture
def table(write_made_table: Callable[[list[Row]], Path]) -> MeasuredTable:
    rows = made_rows(40)
    rows[5]["reason"] = "given up after 1 of 1 epochs"
    for row in rows:
        if row["status"] == "ok":
            accuracy = 0.1 + 1e-6 * float(row["params"] or 0)
            row.update(accuracy_1d=accuracy, accuracy_1d_std=0.5 - accuracy / 2)
    return read_table(str(write_made_table(rows)))


def test_the_spread_counts_rows_and_gives_quantiles(table: MeasuredTable) -> None:
    (row,) = spread(table).to_dict("records")
    assert (row["hardware"], row["fidelity"], row["rows"], row["failed"], row["given_up"]) == ("pcm", "smoke", 40, 1, 1)
    assert row["accuracy_1d_50"] == pytest.approx(table.measured["accuracy_1d"].median())
    for label in labels(table):
        assert row[f"{label}_5"] < row[f"{label}_50"] < row[f"{label}_95"]


def test_shares_of_uniform_networks_are_exact() -> None:
    space = task("digits").space
    alike = Architecture(8, 3, tuple(MainBlock(repeats, 1, "A", 1, True) for repeats in (2, 5, 3, 3)))
    rows = pd.DataFrame(space.encode([alike]), columns=list(GENE_NAMES)).assign(params=1, macs=1)
    (found,) = choices(replace(read_table("digits"), frame=rows), rows).to_dict("records")
    assert (found["skip"], found["branches"], found["bottleneck"]) == (1.0, 1.0, 0.0)


def test_chips_that_are_varied_from_a_preset_count_together(write_made_table: Callable[[list[Row]], Path]) -> None:
    table = read_table(str(write_made_table([*made_rows(6), *varied_rows(5, 2)])))
    found = spread(table).set_index("hardware")
    assert found["rows"].to_dict() == {"pcm": 6, "varied-hermes": 10, "varied-pcm": 10, "varied-reram": 10}
    assert found["failed"].to_dict() == {"pcm": 1, "varied-hermes": 0, "varied-pcm": 0, "varied-reram": 0}
    hermes = table.measured[table.measured["technology"] == "hermes"]
    assert found.loc["varied-hermes", "avm_50"] == pytest.approx(hermes["avm"].median())
    assert spread(table, "varied-hermes")["rows"].tolist() == [10]
    one = hermes["hardware"].iloc[0]
    for name, rows in (("varied-hermes", hermes), (one, hermes[hermes["hardware"] == one])):
        assert groups(table, name).groupby("choice")["rows"].sum().unique().tolist() == [len(rows)]
        assert len(learned(table, name)) == (rows["accuracy_1d"] > 0.2).sum()


def test_networks_that_learned_nothing_are_left_out(table: MeasuredTable) -> None:
    assert len(learned(table)) == 0  # at most 15 % right, where chance is 10
    table.card["classes"] = 20
    assert 0 < len(learned(table)) < 40
    table.card["classes"] = 2
    assert len(learned(table)) == 0


def test_choices_are_those_of_the_architecture(table: MeasuredTable) -> None:
    rows = table.measured
    found = choices(table, rows)
    for index, one in enumerate(table.space.decode(genomes(rows))):
        row = found.iloc[index]
        blocks = [block for block in one.blocks for _ in range(block.residual_blocks)]
        assert (row["depth"], row["stem_kernel"], row["main_blocks"]) == (one.depth, one.stem_kernel, len(one.blocks))
        assert row["branches"] == pytest.approx(sum(block.branches for block in blocks) / len(blocks))
        assert row["skip"] == pytest.approx(sum(block.skip for block in blocks) / len(blocks))
        assert row["bottleneck"] == pytest.approx(sum(block.conv_type == "B" for block in blocks) / len(blocks))


def test_relations_are_kendalls_tau(table: MeasuredTable) -> None:
    found = relations(table, table.measured)
    assert list(found.columns) == labels(table)
    assert found.loc["params", "accuracy_1d"] == pytest.approx(1.0)
    assert found.loc["accuracy_1d", "accuracy_1d_std"] == pytest.approx(-1.0)


def test_every_row_is_in_one_group_of_each_choice(table: MeasuredTable) -> None:
    table.card["classes"] = 20
    found = groups(table)
    assert (found.groupby("choice")["rows"].sum() == 39).all()
    assert set(found["choice"]) == set(table.space.trait_groups)
    for _, rows in found.groupby("choice"):
        assert (rows["rows"] * rows["learned"]).sum() == pytest.approx(len(learned(table)))
    kernels = table.measured["KS0"].value_counts()
    assert found[found["group"] == "5x5"]["rows"].sum() == kernels.get(5, 0)
