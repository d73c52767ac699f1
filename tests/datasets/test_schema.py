from __future__ import annotations

from ohmnas.datasets import schema
from ohmnas.spaces.genes import GENE_NAMES


def test_every_column_has_exactly_one_type() -> None:
    typed = [*schema.TEXT_COLUMNS, *schema.INTEGER_COLUMNS, *schema.FLOAT_COLUMNS]
    assert sorted(typed) == sorted(schema.COLUMNS)
    assert len(set(typed)) == len(typed)


def test_columns_stand_in_the_documented_order() -> None:
    names = schema.COLUMNS
    marks = ["task", "hardware", "fidelity", "seed", "status", GENE_NAMES[0], "params", "macs", "accuracy_digital"]
    marks += ["accuracy_1s", "avm", "hw_g_max", "epochs", "train_seconds", "ohmnas_version", "reason"]
    places = [names.index(mark) for mark in marks]
    assert places == sorted(places)
