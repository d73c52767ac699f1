from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.card import make_card
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tables.table import accuracy_std_floor, genomes, read_table, shipped_tables, write_table
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import BrokenFileError, InvalidValueError, UnknownNameError
from ohmnas.spaces.catalogue import word_of
from ohmnas.spaces.resnet.genes import GENE_NAMES
from ohmnas.spaces.resnet.references import REFERENCES
from tests.datasets.conftest import DIGITS, varied_rows

Write = Callable[[list[Row]], Path]


def test_rows_come_back_as_they_were_written(rows: list[Row], write_made_table: Write) -> None:
    table = read_table(str(write_made_table(rows)))
    assert list(table.frame.columns) == list(schema.columns(GENE_NAMES))
    assert list(table.rows()) == rows
    assert len(table.measured) == 5


@pytest.mark.parametrize("column", schema.columns(GENE_NAMES))
def test_a_missing_column_is_named(column: str, rows: list[Row], write_made_table: Write) -> None:
    path = write_made_table(rows)
    pd.read_csv(path).drop(columns=column).to_csv(path, index=False)
    with pytest.raises(BrokenFileError, match=f"lacks the column '{column}'"):
        read_table(str(path))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("params", 1),
        ("macs", 5),
        ("OC0", 7),
        ("KS0", 4),
        ("R1", 0),
        ("avm", 0.99),
        ("accuracy_1d", 1.5),
        ("accuracy_1d", "good"),
        ("seed", 0.5),
        ("status", "fine"),
        ("task", "cifar10"),
        ("params", "inf"),
        ("seed", "1e400"),
        ("OC0", "99999999999999999999999"),
        ("validation_images", 0),
        ("accuracy_1d", ""),
    ],
)
def test_an_impossible_cell_is_named_with_its_row(
    column: str, value: str | float, rows: list[Row], write_made_table: Write
) -> None:
    path = write_made_table(rows)
    frame = pd.read_csv(path, dtype=object)
    frame.loc[1, column] = value
    frame.to_csv(path, index=False)
    with pytest.raises(BrokenFileError, match=rf"row 2: {column} is"):
        read_table(str(path))


def test_a_changed_cell_that_is_possible_fails_the_checksum(rows: list[Row], write_made_table: Write) -> None:
    path = write_made_table(rows)
    frame = pd.read_csv(path, dtype=object)
    frame.loc[1, "accuracy_digital"] = "0.123"
    frame.to_csv(path, index=False)
    with pytest.raises(BrokenFileError, match="checksum"):
        read_table(str(path))


@pytest.mark.parametrize(("column", "value"), [("hw_drift", 0.0), ("epochs", 2), ("hw_dac_bits", None)])
def test_rows_of_one_chip_and_fidelity_share_their_settings(
    column: str, value: float | None, rows: list[Row], write_made_table: Write
) -> None:
    rows[4][column] = value
    with pytest.raises(BrokenFileError, match=rf"row 5: {column} is"):
        read_table(str(write_made_table(rows)))
    if value is not None:
        rows[4]["fidelity"] = "other"
        read_table(str(write_made_table(rows)))


def test_a_repeated_row_is_refused(rows: list[Row], write_made_table: Write) -> None:
    with pytest.raises(BrokenFileError, match="row 7: seed"):
        read_table(str(write_made_table([*rows, rows[0]])))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("schema", 99, "schema 99"),
        ("schema", "x", "not a whole number above 0"),
        ("schema", None, "not a whole number above 0"),
        ("classes", True, "classes"),
        ("classes", 10**25, "classes"),
        ("input_shape", [1, 8, 10**30], "input_shape"),
        ("space", "other-1", "other-1"),
        ("sha256", None, "checksum"),
        ("input_shape", [8, 8], "input_shape"),
    ],
)
def test_a_wrong_card_is_refused(
    key: str, value: object, message: str, rows: list[Row], write_made_table: Write
) -> None:
    path = write_made_table(rows)
    card = path.with_suffix(".json")
    card.write_text(json.dumps({**json.loads(card.read_text("utf-8")), key: value}), encoding="utf-8")
    with pytest.raises(BrokenFileError, match=message):
        read_table(str(path))


@pytest.mark.parametrize("content", ["", "no,table\n1\n", "\x00\x01", "a" * 100])
def test_a_file_that_is_not_a_table_is_refused(content: str, rows: list[Row], write_made_table: Write) -> None:
    path = write_made_table(rows)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BrokenFileError):
        read_table(str(path))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.5, 0.999])
def test_a_table_that_was_cut_off_is_called_so(share: float, rows: list[Row], write_made_table: Write) -> None:
    path = write_made_table(rows)
    text = path.read_text(encoding="utf-8")
    left = text[: int(share * len(text))]
    path.write_text(left, encoding="utf-8")
    whole = max(left.count("\n") - 1, 0)
    message = (
        rf"^[^:]*made\.csv seems truncated: it has {whole} complete rows, but its card made\.json states {len(rows)};"
    )
    with pytest.raises(BrokenFileError, match=message):
        read_table(str(path))


def test_a_page_that_came_instead_of_a_table_is_not_called_cut_off(rows: list[Row], write_made_table: Write) -> None:
    path = write_made_table(rows)
    path.write_text("<html>\nnot found\n</html>\n", encoding="utf-8")
    with pytest.raises(BrokenFileError, match="lacks the column 'task'"):
        read_table(str(path))


def test_a_missing_card_is_one_sentence(rows: list[Row], write_made_table: Write) -> None:
    path = write_made_table(rows)
    path.with_suffix(".json").unlink()
    with pytest.raises(BrokenFileError, match=r"the card .*made\.json of the table is missing"):
        read_table(str(path))


def test_an_unknown_table_names_the_shipped_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"neither a file, nor a shipped table \(" + ", ".join(shipped_tables())):
        read_table("nothing")


@pytest.mark.parametrize("name", shipped_tables())
def test_shipped_tables_are_whole(name: str) -> None:
    table = read_table(name)
    assert table.card["rows"] == len(table.frame)
    assert table.space == task(table.card["task"]).in_space(word_of(table.card["space"])).space


def test_the_digits_table_has_what_it_promises() -> None:
    table = read_table("digits")
    frame = table.measured
    paper = frame[(frame["hardware"] == "pcm") & (frame["fidelity"] == "paper")]
    assert len(paper.drop_duplicates(list(table.space.gene_names))) >= 300
    assert (paper["chips"] == 25).all()
    assert paper["params"].max() <= 200_000
    assert paper["macs"].max() <= 2_000_000
    assert (paper[paper["seed"] == 1].shape[0]) >= 36


def test_references_that_fit_the_bounds_are_rows() -> None:
    table, digits = read_table("digits"), task("digits")
    rows = {row.tobytes() for row in genomes(table.frame)}
    for genome in digits.space.encode(REFERENCES.values()):
        costs = digits.space.layers(genome[None])
        if costs.params()[0] <= digits.max_params and costs.macs()[0] <= digits.max_macs:
            assert genome.tobytes() in rows


def test_the_std_floor_is_one_image_on_one_chip(rows: list[Row], write_made_table: Write) -> None:
    floor = accuracy_std_floor(read_table(str(write_made_table(rows))).frame)
    chips = np.array([0.5, 0.5 + 1 / 400])  # the made rows have 2 chips and 400 images
    assert floor == pytest.approx(chips.std(ddof=1))


def test_of_several_chips_and_fidelities_the_usual_ones_are_selected(rows: list[Row], write_made_table: Write) -> None:
    table = read_table(str(write_made_table(rows)))
    assert len(table.select()) == 5  # the only chip, the only fidelity, without the failure
    mixed = table.frame.copy()
    mixed.loc[:3, "fidelity"] = "paper"
    mixed.loc[1, "hardware"] = "reram"
    table = replace(table, frame=mixed)
    chosen = table.select()
    assert (set(chosen["hardware"]), set(chosen["fidelity"])) == ({"pcm"}, {"paper"})
    assert len(table.select("reram")) == 1
    with pytest.raises(InvalidValueError, match="no measured rows of hardware 'hermes', only of pcm, reram"):
        table.select("hermes")
    mixed.loc[mixed["hardware"] == "pcm", "hardware"] = "mine"
    with pytest.raises(InvalidValueError, match="select one with --hardware: mine, reram"):
        table.select()


def test_the_rows_of_a_fidelity_are_those_of_all_chips(rows: list[Row], write_made_table: Write) -> None:
    table = read_table(str(write_made_table([*rows, *varied_rows(2, 1)])))
    assert len(table.of_fidelity()) == len(table.of_fidelity("smoke")) == 5 + 6  # one of the rows is a failure
    assert set(table.of_fidelity()["technology"]) == {"pcm", "hermes", "reram"}
    with pytest.raises(InvalidValueError, match="no measured rows of fidelity 'paper', only of smoke"):
        table.of_fidelity("paper")
    mixed = table.frame.copy()
    mixed.loc[:1, "fidelity"] = "paper"
    assert len(replace(table, frame=mixed).of_fidelity()) == 2
    mixed.loc[:1, "fidelity"] = "low"
    with pytest.raises(InvalidValueError, match="select one with --fidelity: low, smoke"):
        replace(table, frame=mixed).of_fidelity()


def test_of_many_chips_a_message_names_ten(write_made_table: Write) -> None:
    table = read_table(str(write_made_table(varied_rows(2, 2))))
    names = sorted(set(table.frame["hardware"]))
    assert len(names) == 12
    with pytest.raises(InvalidValueError, match=f"select one with --hardware: {', '.join(names[:10])}, 2 more$"):
        table.select()
    with pytest.raises(InvalidValueError, match=f"no measured rows of hardware 'pcm', only of {names[0]}, .*, 2 more$"):
        table.select("pcm")
    assert len(table.select(names[3])) == 1
    few = replace(table, frame=table.frame[table.frame["hardware"].isin(names[:10])])
    with pytest.raises(InvalidValueError, match=f": {', '.join(names[:10])}"):
        few.select()


def test_rows_that_cannot_be_are_refused_before_a_table_is_replaced(rows: list[Row], write_made_table: Write) -> None:
    path = write_made_table(rows)
    before = path.read_bytes()
    rows[0]["macs"] = 5
    with pytest.raises(BrokenFileError, match="row 1: macs is 5"):
        write_made_table(rows)
    assert path.read_bytes() == before


def test_a_path_may_be_a_text_or_a_path(rows: list[Row], tmp_path: Path) -> None:
    frame = pd.DataFrame(rows, columns=list(schema.columns(GENE_NAMES)))
    for path in (tmp_path / "a.csv", str(tmp_path / "b.csv")):
        write_table(path, frame.set_index(pd.MultiIndex.from_product([["a", "b"], range(3)])), make_card(frame, DIGITS))
        assert list(read_table(Path(path)).rows()) == list(read_table(str(path)).rows()) == rows


def test_rows_with_more_cells_than_columns_are_one_sentence(rows: list[Row], write_made_table: Write) -> None:
    path = write_made_table(rows)
    first, *others = path.read_text("utf-8").splitlines()
    for more in ("x,", "x,y,"):
        path.write_text("\n".join([first, *(more + line for line in others), ""]), encoding="utf-8")
        with pytest.raises(BrokenFileError, match="more cells than columns"):
            read_table(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("task", []), ("task", None), ("task", "\x1b[2J"), ("schema", True), ("schema", -1), ("space", [])],
)
def test_a_card_of_another_kind_is_neither_read_nor_written(
    key: str, value: object, rows: list[Row], write_made_table: Write
) -> None:
    path = write_made_table(rows)
    card = json.loads(path.with_suffix(".json").read_text("utf-8"))
    path.with_suffix(".json").write_text(json.dumps({**card, key: value}), encoding="utf-8")
    with pytest.raises(BrokenFileError, match=key if key == "task" else r"made\.json"):
        read_table(path)
    before = path.read_bytes()
    if key != "schema":
        with pytest.raises(BrokenFileError, match=r"made\.json"):
            write_table(path, pd.DataFrame(rows), {**card, key: value})
    nothing: tuple[Any, ...] = (None, [], {})
    for none in nothing:
        with pytest.raises(BrokenFileError, match=r"made\.json lacks"):
            write_table(path, pd.DataFrame(rows), none)
    assert path.read_bytes() == before
