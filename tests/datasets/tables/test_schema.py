from __future__ import annotations

import pytest

from ohmnas.datasets.tables import schema
from ohmnas.spaces.resnet.genes import GENE_NAMES


def test_every_column_has_exactly_one_type() -> None:
    typed = [*schema.TEXT_COLUMNS, *schema.INTEGER_COLUMNS, *schema.FLOAT_COLUMNS]
    assert sorted([*typed, *GENE_NAMES]) == sorted(schema.columns(GENE_NAMES))
    assert len(set(typed)) == len(typed)


def test_columns_are_in_the_documented_order() -> None:
    names = schema.columns(GENE_NAMES)
    marks = ["task", "hardware", "fidelity", "seed", "status", GENE_NAMES[0], "params", "macs", "accuracy_digital"]
    marks += ["accuracy_1s", "avm", "hw_g_max", "epochs", "train_seconds", "ohmnas_version", "reason"]
    places = [names.index(mark) for mark in marks]
    assert places == sorted(places)


def test_a_learning_curve_survives_the_way_through_text() -> None:
    found = {1: 2.30258, 3: 0.5, 24: 1e-05}
    assert schema.points(schema.curve(found)) == found
    assert schema.points("") == {}


@pytest.mark.parametrize("text", ["1", "1:a", "0:1", "2:1 1:1", "1:1 1:2", "1:2:3", "x:1"])
def test_invalid_learning_curves_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of int, float or ours
        schema.points(text)


def test_older_rows_say_what_they_were_trained_in() -> None:
    assert schema.added_since(3, "pcm")["batch"] == 128
    assert schema.added_since(schema.SCHEMA_VERSION, "pcm") == {}
    assert set(schema.added_since(1, "pcm")) >= set(schema.added_since(2, "pcm")) >= {"precision"}
