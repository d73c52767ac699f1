"""Genes: what they refuse, how they are written, and that repair leads to the nearest."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ohmnas.errors import InvalidValueError, OhmnasError, UnknownNameError
from ohmnas.hardware.chip_genes import CHIP_GENE_NAMES
from ohmnas.spaces.cells.genes import TABLE as CELLS
from ohmnas.spaces.codesign import CHIP_GENES
from ohmnas.spaces.genes import LARGEST_VALUE, Gene, Genes, unseen
from ohmnas.spaces.resnet.genes import TABLE as RESNET

TABLES = {"resnet": RESNET, "cells": CELLS, "chips": CHIP_GENES, "both": RESNET + CHIP_GENES}
tables = st.sampled_from(list(TABLES))
GAPS = Genes((Gene("A", (1, 2, 9, 40)), Gene("B", (5,)), Gene("C", (0, 7), ("no", "yes"))))


@st.composite
def made_genes(draw: st.DrawFn) -> Genes:
    """Any genes, with blocks or without."""
    values = st.sets(st.integers(0, LARGEST_VALUE), min_size=1, max_size=6).map(lambda found: tuple(sorted(found)))
    blocks = draw(st.integers(0, 3))
    entries = [Gene(f"g{place}x", draw(values)) for place in range(draw(st.integers(1, 3)))]
    if not blocks:
        return Genes(tuple(entries))
    entries.append(Gene("depth", tuple(range(1, blocks + 1))))
    for block in range(1, blocks + 1):
        entries.append(Gene(f"W{block}", draw(values), block=block))
    return Genes(tuple(entries), depth="depth")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"values": ()}, "must be ascending"),
        ({"values": (2, 1)}, "must be ascending"),
        ({"values": (1, 1)}, "must be ascending"),
        ({"values": (-1, 1)}, "from 0 to 32,767"),
        ({"values": (1, 2**15)}, "from 0 to 32,767"),
        ({"labels": ("a",)}, "2 values and 1 labels"),
        ({"block": 2}, "of block 2 must end in 2, not"),
        ({"name": "a b"}, "a word of letters and digits"),
        ({"name": "a=b"}, "a word of letters and digits"),
        ({"name": ""}, "a word of letters and digits"),
        ({"name": "1a"}, "a word of letters and digits"),
        ({"name": "größe"}, "a word of letters and digits"),
    ],
)
def test_a_gene_that_contradicts_itself_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Gene(**{"name": "W1", "values": (1, 2), **wrong})


def test_genes_that_contradict_each_other_are_refused() -> None:
    one, block = Gene("A", (1, 2)), Gene("W1", (1, 2), block=1)
    with pytest.raises(InvalidValueError, match="two genes have the same name: A, A"):
        Genes((one, one))
    with pytest.raises(InvalidValueError, match="needs a gene for the number of blocks"):
        Genes((one, block))
    with pytest.raises(InvalidValueError, match="two genes have the same name"):
        CHIP_GENES + CHIP_GENES


@given(tables, st.data())
def test_values_are_read_as_they_are_written(table: str, data: st.DataObject) -> None:
    gene = data.draw(st.sampled_from(list(TABLES[table])))
    value = data.draw(st.sampled_from(gene.values))
    assert gene.value(gene.text(value)) == value
    assert gene.value(f" {gene.text(value).swapcase()} ") == value
    assert gene.text(value) in gene.allowed() or " to " in gene.allowed()


def test_numbers_select_word_labels_but_not_numeric_labels() -> None:
    named = (RESNET + CHIP_GENES).named
    assert named("CT").value("2") == named("CT").value("B") == 2
    assert CELLS.named("E01").value("3") == 3
    assert named("TECH").value("1") == 1
    assert named("TILE").value("64") == 6
    for name, text in (("TILE", "6"), ("CT", "3"), ("CT", "0"), ("TECH", "5")):
        with pytest.raises(InvalidValueError, match=f"{name} must be one of "):
            named(name).value(text)


@given(tables, st.text(max_size=12), st.text(max_size=12))
def test_any_text_is_a_value_or_one_sentence(table: str, name: str, text: str) -> None:
    for gene in (name, TABLES[table].names[-1]):
        try:
            value = TABLES[table].named(gene).value(text)
        except OhmnasError as error:
            assert len(str(error)) < 600  # noqa: PT017 - both are right
        else:
            assert value >= 0


def test_values_in_words() -> None:
    assert RESNET.named("OC0").allowed() == "8 to 128"
    assert RESNET.named("KS0").allowed() == "3, 5, 7"
    assert RESNET.named("skip").allowed() == "0, 1"
    assert RESNET.named("CT").allowed() == "A, B"
    assert CHIP_GENES.named("TILE").allowed() == "64, 128, 256, 512"
    assert Gene("A", (4,)).allowed() == "4"


def test_a_family_is_called_as_it_was_asked_for() -> None:
    assert RESNET.named("R").name == RESNET.named("R").family == "R"
    assert RESNET.named("R3").name == "R3"
    assert RESNET.named("R3").family == "R"
    assert RESNET.columns("R") == [3, 8, 13, 18, 23]
    assert RESNET.columns("R3") == [13]
    assert RESNET.families == ("R", "B", "CT", "WF", "skip")


@pytest.mark.parametrize(
    ("table", "name", "message"),
    [
        (
            "resnet",
            "R6",
            "choose OC0, KS0, M; R, B, CT, WF, skip (all blocks); or R1 to R5 (one block); did you mean R",
        ),
        ("resnet", "TILE", "unknown gene 'TILE': choose OC0, KS0, M; R"),
        ("cells", "E10", "choose E01, E02, E12, E03, E13, E23"),
        ("both", "dac", "choose OC0, KS0, M, TECH, TILE, DAC, ADC; R"),
        ("chips", "x" * 500, "choose TECH, TILE, DAC, ADC"),
    ],
)
def test_an_unknown_gene_is_refused_with_those_that_there_are(table: str, name: str, message: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        TABLES[table].columns(name)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


@given(made_genes(), st.integers(0, 2**32 - 1))
def test_repair_leads_to_the_nearest_value_of_each_gene_that_exists(genes: Genes, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-100, LARGEST_VALUE + 100, size=(6, len(genes)))
    matrix.setflags(write=False)
    repaired = genes.repair(matrix)
    assert repaired.dtype == np.int16
    assert_array_equal(genes.repair(repaired), repaired)
    for row, asked in zip(repaired.tolist(), matrix.tolist(), strict=True):
        for gene, value, wanted in zip(genes, row, asked, strict=True):
            if genes.depth and gene.block > row[genes.depth_column]:
                assert value == 0
            else:
                assert value in gene.values
                assert abs(value - wanted) == min(abs(other - wanted) for other in gene.values)


def test_values_with_gaps_are_repaired_to_the_nearest() -> None:
    asked = np.array([[0, 0, 0], [5, 9, 3], [6, -4, 4], [25, 5, 9], [24, 5, 1], [2**40, 2**40, -(2**40)]])
    assert GAPS.repair(asked).tolist() == [[1, 5, 0], [2, 5, 0], [9, 5, 7], [40, 5, 7], [9, 5, 0], [40, 5, 0]]


@given(made_genes())
def test_sizes_count_what_exists(genes: Genes) -> None:
    counts = [len(gene.values) for gene in genes]
    depths = list(genes[genes.depth_column].values) if genes.depth else [0]
    expected = 0
    for depth in depths:
        several = 1
        for gene in genes:
            if gene.name != genes.depth and gene.block <= depth:
                several *= len(gene.values)
        expected += several
    assert genes.size(counts, depths) == expected


@pytest.mark.parametrize("table", TABLES)
def test_copies_are_equal_and_have_the_same_hash(table: str) -> None:
    genes = TABLES[table]
    for other in (copy.deepcopy(genes), pickle.loads(pickle.dumps(genes)), Genes(genes.entries, genes.depth)):  # noqa: S301
        assert other == genes
        assert hash(other) == hash(genes)
        assert other.names == genes.names
    assert Genes(genes.entries[:-1], genes.depth) != genes


def test_a_sum_has_both_with_the_blocks_of_the_first() -> None:
    both = RESNET + CHIP_GENES
    assert both.names == (*RESNET.names, *CHIP_GENE_NAMES)
    assert both.depth == "M"
    assert len(both) == len(both.low) == len(both.high) == len(both.costly) == len(both.blocks)
    assert list(both) == [*RESNET, *CHIP_GENES]


def test_unseen_rows_are_new_in_their_order_and_once() -> None:
    pool = np.array([[3, 1], [2, 2], [3, 1], [1, 1], [2, 2]], dtype=np.int16)
    assert unseen(pool, pool[3:4]).tolist() == [[3, 1], [2, 2]]
    assert unseen(pool, pool[:0]).tolist() == [[3, 1], [2, 2], [1, 1]]
    assert unseen(pool, pool).shape == (0, 2)
