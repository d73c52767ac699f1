"""Bounds: what lies within is what they say, and can be numbered."""

from __future__ import annotations

import contextlib
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ohmnas.errors import InvalidValueError, OhmnasError, UnknownNameError
from ohmnas.hardware.chip_genes import MOST_CHIPS, to_hardware
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.cells import CellSpace
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import genes

from .conftest import DESIGNS, SPACE, designs, populations

RANGES = {
    "OC0": (8, 128),
    "KS0": (3, 7),
    "M": (1, 5),
    "R": (1, 16),
    "B": (1, 12),
    "CT": (1, 2),
    "WF": (1, 4),
    "skip": (0, 1),
}
"""Gene, less the number of its block -> least and most, written down independently of the gene table."""


CHIP_RANGES = {"TECH": (0, 2), "TILE": (6, 9), "DAC": (4, 8), "ADC": (5, 9)}
"""The same of the genes of chips."""


def ends(name: str) -> st.SearchStrategy[tuple[int, int]]:
    low, high = RANGES[name.rstrip("12345")]
    values = st.sampled_from([3, 5, 7]) if name == "KS0" else st.integers(low, high)
    return st.tuples(values, values).map(lambda pair: (min(pair), max(pair)))


@st.composite
def ranges(draw: st.DrawFn) -> dict[str, tuple[int, int]]:
    """Ranges of some genes, of the network, of all blocks or of one."""
    names = draw(st.lists(st.sampled_from([*RANGES, *genes.GENE_NAMES]), unique=True, max_size=8))
    return {name: draw(ends(name)) for name in names}


bounds = ranges().map(partial(Bounds.of, SPACE.genes))


@st.composite
def small_bounds(draw: st.DrawFn) -> Bounds:
    """Bounds that leave some thousand architectures at most."""
    least = draw(st.integers(1, 5))
    chosen = {"M": (least, draw(st.integers(least, min(least + 1, 5))))}
    for name in (*(name for name in genes.GENE_NAMES if name != "M"),):
        low, high = draw(ends(name))
        chosen[name] = (low, low)
        if draw(st.integers(0, 9)) == 0:
            chosen[name] = (low, min(low + 2, high))
    return Bounds.of(SPACE.genes, chosen)


def pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high)).map(lambda pair: (min(pair), max(pair)))


chip_ranges = st.fixed_dictionaries({}, optional={name: pairs(*values) for name, values in CHIP_RANGES.items()})


@given(bounds, populations())
@settings(max_examples=60)
def test_projecting_leads_within_and_what_is_within_stays(within: Bounds, population: Population) -> None:
    population.setflags(write=False)
    projected = within.project(population)
    assert projected.dtype == np.int16
    assert_array_equal(SPACE.check(projected), projected)
    assert within.contain(projected).all()
    assert_array_equal(within.project(projected), projected)
    inside = within.contain(population)
    assert_array_equal(projected[inside], population[inside])


@given(ranges(), populations())
@settings(max_examples=60)
def test_contained_is_what_has_each_gene_that_exists_in_its_range(
    asked: dict[str, tuple[int, int]], population: Population
) -> None:
    population = np.concatenate([population, Bounds.of(SPACE.genes, asked).project(population)])
    expected = []
    for row in population:
        blocks = int(row[genes.M])
        names = list(genes.GENE_NAMES[: 3 + 5 * blocks])
        within = True
        for name, value in zip(names, row, strict=False):
            low, high = asked.get(name, asked.get(name.rstrip("12345"), RANGES[name.rstrip("12345")]))
            within &= low <= value <= high
        expected.append(within)
    assert Bounds.of(SPACE.genes, asked).contain(population).tolist() == expected


@given(small_bounds())
@settings(max_examples=60)
def test_each_number_is_another_architecture_within_and_all_are_numbered(within: Bounds) -> None:
    assert within.size < 100_000
    population = within.nth(np.arange(min(within.size, 5000)))
    assert population.dtype == np.int16
    assert_array_equal(SPACE.check(population), population)
    assert within.contain(population).all()
    assert len(np.unique(population, axis=0)) == len(population)
    number = 0
    for depth in within.choices(genes.M).tolist():
        several = 1
        for gene in [genes.OC0, genes.KS0, *range(3, 3 + 5 * depth)]:
            several *= len(within.choices(gene))
        number += several
    assert within.size == number


@given(bounds, st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_numbers_of_large_spaces_are_architectures_within_too(within: Bounds, seed: int) -> None:
    if within.size > 2**62:
        with pytest.raises(InvalidValueError, match=r"\d\.\de\+\d\d architectures are too many to enumerate"):
            within.nth(np.arange(3))
        return
    numbers = np.random.default_rng(seed).integers(within.size, size=20)
    numbers = np.unique([0, within.size - 1, *numbers])
    population = within.nth(numbers)
    assert_array_equal(SPACE.check(population), population)
    assert within.contain(population).all()
    assert len(np.unique(population, axis=0)) == len(numbers)


def test_the_first_number_has_the_least_of_each_gene_and_the_last_the_most() -> None:
    within = Bounds.of(SPACE.genes, {"M": (2, 3), "R": (1, 2), "B": (3, 4), "KS0": (3, 5), "OC0": (8, 9)})
    first, last = within.nth(np.array([0, within.size - 1]))
    assert first.tolist() == [8, 3, 2, *(1, 3, 1, 1, 0) * 2, *[0] * 15]
    assert last.tolist() == [9, 5, 3, *(2, 4, 2, 4, 1) * 3, *[0] * 10]


def test_no_bounds_are_the_whole_space() -> None:
    assert Bounds.of(SPACE.genes, {}) == SPACE.everything == Bounds.everything(SPACE.genes)
    assert SPACE.everything.size == SPACE.size == 121 * 3 * sum((16 * 12 * 2 * 4 * 2) ** depth for depth in range(1, 6))


def test_a_name_without_a_number_is_that_of_all_blocks_and_one_block_counts_more() -> None:
    for asked in ({"R": (1, 3), "R2": (5, 6)}, {"R2": (5, 6), "R": (1, 3)}):
        within = Bounds.of(SPACE.genes, asked)
        choices = [within.choices(3 + 5 * block + genes.R).tolist() for block in range(5)]
        assert choices == [[1, 2, 3], [5, 6], [1, 2, 3], [1, 2, 3], [1, 2, 3]]
    others = [gene for gene in range(genes.GENES) if gene < 3 or (gene - 3) % 5 != genes.R]
    assert all(within.choices(gene).tolist() == SPACE.everything.choices(gene).tolist() for gene in others)


def test_kernel_sizes_are_odd() -> None:
    assert SPACE.everything.choices(genes.KS0).tolist() == [3, 5, 7]
    assert Bounds.of(SPACE.genes, {"KS0": (3, 5)}).choices(genes.KS0).tolist() == [3, 5]
    assert Bounds.of(SPACE.genes, {"KS0": (7, 7)}).choices(genes.KS0).tolist() == [7]
    with pytest.raises(InvalidValueError, match="KS0 must be 3, 5, 7, not 4"):
        Bounds.of(SPACE.genes, {"KS0": (4, 4)})
    with pytest.raises(InvalidValueError, match="KS0 must be 3, 5, 7, not 3 to 6"):
        Bounds.of(SPACE.genes, {"KS0": (3, 6)})


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"M": (0, 3)}, "M must be 1 to 5, not 0 to 3"),
        ({"M": (3, 2)}, "M must be 1 to 5, not 3 to 2"),
        ({"OC0": (8, 129)}, "OC0 must be 8 to 128, not 8 to 129"),
        ({"R3": (17, 17)}, "R3 must be 1 to 16, not 17"),
        ({"skip": (0, 2)}, "skip must be 0, 1, not 0 to 2"),
    ],
)
def test_values_out_of_range_are_refused_with_the_range(asked: dict[str, tuple[int, int]], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Bounds.of(SPACE.genes, asked)


@pytest.mark.parametrize("name", ["R6", "R0", "r", "KS", "OC1", "M1", "", "skip12"])
def test_genes_that_there_are_not_are_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown gene .*: choose OC0, KS0, M; R, B, CT, WF, skip \(all"):
        Bounds.of(SPACE.genes, {name: (1, 1)})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("CT", "A", 1), ("CT", "b", 2), ("CT4", "B", 2), ("CT4", "2", 2), ("M", " 3 ", 3), ("R2", "16", 16)],
)
def test_values_are_read_as_people_write_them(name: str, text: str, value: int) -> None:
    assert SPACE.genes.named(name).value(text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [("R", "A"), ("CT", "C"), ("M", "two"), ("M", "-1"), ("M", "1.0"), ("M", ""), ("OC0", "9" * 5000), ("CT", "AB")],
)
def test_invalid_values_are_refused(name: str, text: str) -> None:
    expected = "CT must be one of A, B, not" if name == "CT" else f"{name} must be a whole number, not"
    with pytest.raises(InvalidValueError, match=expected):
        SPACE.genes.named(name).value(text)


@given(st.text(max_size=8), st.text(max_size=8))
def test_any_input_is_a_value_or_one_sentence(name: str, text: str) -> None:
    with contextlib.suppress(OhmnasError):
        value = SPACE.genes.named(name).value(text)
        Bounds.of(SPACE.genes, {name: (value, value)})


@given(ranges(), chip_ranges, designs())
@settings(max_examples=60)
def test_bounds_with_chips_bound_networks_as_bounds_without_and_chips_besides(
    asked: dict[str, tuple[int, int]], of_chips: dict[str, tuple[int, int]], population: Population
) -> None:
    population.setflags(write=False)
    within, networks = Bounds.of(DESIGNS.genes, {**asked, **of_chips}), Bounds.of(SPACE.genes, asked)
    projected = within.project(population)
    assert projected.dtype == np.int16
    assert_array_equal(DESIGNS.check(projected), projected)
    assert_array_equal(projected[:, : genes.GENES], networks.project(population[:, : genes.GENES]))
    assert_array_equal(within.project(projected), projected)
    assert within.contain(projected).all()
    expected = networks.contain(population[:, : genes.GENES])
    for column, (name, everything) in enumerate(CHIP_RANGES.items(), genes.GENES):
        low, high = of_chips.get(name, everything)
        expected &= (population[:, column] >= low) & (population[:, column] <= high)
        assert within.choices(column).tolist() == list(range(low, high + 1))
    assert within.contain(population).tolist() == expected.tolist()


@given(small_bounds(), chip_ranges)
@settings(max_examples=40)
def test_each_number_is_another_design_and_all_are_numbered(
    networks: Bounds, of_chips: dict[str, tuple[int, int]]
) -> None:
    asked = zip(genes.GENE_NAMES, networks.low, networks.high, strict=True)
    within = Bounds.of(DESIGNS.genes, {**{name: (low, high) for name, low, high in asked}, **of_chips})
    count = 1
    for name, everything in CHIP_RANGES.items():
        low, high = of_chips.get(name, everything)
        count *= high - low + 1
    assert within.size == networks.size * count
    population = within.nth(np.linspace(0, within.size - 1, min(within.size, 3000)).astype(np.int64))
    assert population.dtype == np.int16
    assert_array_equal(DESIGNS.check(population), population)
    assert within.contain(population).all()
    assert len(np.unique(population, axis=0)) == len(population)


def test_the_first_design_has_the_least_of_each_gene_and_the_last_the_most() -> None:
    within = Bounds.of(DESIGNS.genes, {"M": (1, 2), "R": (1, 1), "OC0": (8, 9), "TECH": (1, 2), "ADC": (6, 7)})
    first, last = within.nth(np.array([0, within.size - 1]))
    assert first.tolist() == [8, 3, 1, 1, 1, 1, 1, 0, *[0] * 20, 1, 6, 4, 6]
    assert last.tolist() == [9, 7, 2, *(1, 12, 2, 4, 1) * 2, *[0] * 15, 2, 9, 8, 7]


def test_numbers_of_a_network_on_chips_are_all_chips() -> None:
    one = {name: (low, low) for name, low in zip(genes.GENE_NAMES, SPACE.everything.low, strict=True)}
    within = Bounds.of(DESIGNS.genes, one)
    assert within.size == MOST_CHIPS
    population = within.nth(np.arange(MOST_CHIPS))
    assert len({chip.name for chip in to_hardware(population[:, genes.GENES :])}) == MOST_CHIPS


def test_no_bounds_with_chips_are_all_designs() -> None:
    assert Bounds.of(DESIGNS.genes, {}) == DESIGNS.everything
    assert DESIGNS.everything.size == SPACE.everything.size * 3 * 4 * 5 * 5
    assert len(DESIGNS.everything.low) == len(DESIGNS.everything.high) == genes.GENES + 4
    assert DESIGNS.everything != SPACE.everything
    with pytest.raises(InvalidValueError, match=r"\d\.\de\+\d\d architectures are too many to enumerate"):
        DESIGNS.everything.nth(np.arange(3))


@pytest.mark.parametrize("name", CHIP_RANGES)
def test_genes_of_chips_are_refused_in_a_search_for_one_chip(name: str) -> None:
    low, high = CHIP_RANGES[name]
    with pytest.raises(UnknownNameError, match=f"unknown gene '{name}': choose OC0, KS0, M; R"):
        Bounds.of(SPACE.genes, {name: (low, high)})
    assert Bounds.of(DESIGNS.genes, {name: (low, high)}) == DESIGNS.everything


@pytest.mark.parametrize("name", ["TECH1", "tile", "BITS", "R6"])
def test_genes_that_there_are_not_are_refused_with_those_of_chips_too(name: str) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown gene .*M, TECH, TILE, DAC, ADC; R"):
        Bounds.of(DESIGNS.genes, {name: (1, 1)})


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"DAC": (3, 8)}, "DAC must be 4 to 8, not 3 to 8"),
        ({"ADC": (10, 10)}, "ADC must be 5 to 9, not 10"),
        ({"ADC": (8, 6)}, "ADC must be 5 to 9, not 8 to 6"),
        ({"R3": (17, 17), "TILE": (6, 6)}, "R3 must be 1 to 16, not 17"),
        ({"TILE": (9, 6)}, "TILE must be 64, 128, 256, 512, not 512 to 64"),
        ({"TECH": (2, 0)}, "TECH must be pcm, hermes, reram, not reram to pcm"),
    ],
)
def test_design_values_out_of_range_are_refused_with_the_readable_range(
    asked: dict[str, tuple[int, int]], message: str
) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Bounds.of(DESIGNS.genes, asked)


@pytest.mark.parametrize(
    ("name", "text", "value"), [("TECH", "reram", 2), ("TILE", "256", 8), ("DAC", "8", 8), ("ADC", "5", 5)]
)
def test_values_of_chips_are_read_as_people_write_them(name: str, text: str, value: int) -> None:
    assert DESIGNS.genes.named(name).value(text) == value
    assert (
        Bounds.of(DESIGNS.genes, {name: (value, value)}).size
        == DESIGNS.everything.size
        // {
            "TECH": 3,
            "TILE": 4,
            "DAC": 5,
            "ADC": 5,
        }[name]
    )


@pytest.mark.parametrize(
    ("ranges", "texts"),
    [
        ({}, []),
        ({"R": (1, 2)}, ["R 1 to 2"]),
        ({"R1": (1, 2)}, ["R1 1 to 2"]),
        ({"R": (1, 2), "R3": (2, 2)}, ["R1 1 to 2", "R2 1 to 2", "R3 2", "R4 1 to 2", "R5 1 to 2"]),
        ({"OC0": (8, 10), "M": (1, 1)}, ["OC0 8 to 10", "M 1"]),
    ],
)
def test_a_family_is_named_only_if_its_genes_have_the_same_bounds(
    ranges: dict[str, tuple[int, int]], texts: list[str]
) -> None:
    assert Bounds.of(SPACE.genes, ranges).narrowed() == texts


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("TECH", "ideal", "TECH must be one of pcm, hermes, reram, not 'ideal'"),
        ("TILE", "8", "TILE must be one of 64, 128, 256, 512, not '8'"),
        ("ADC", "A", "ADC must be a whole number, not 'A'"),
    ],
)
def test_invalid_values_of_a_chip_are_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(OhmnasError, match=message):
        DESIGNS.genes.named(name).value(text)


@given(st.sampled_from([*CHIP_RANGES]), st.text(max_size=8))
def test_any_chip_input_is_a_value_or_one_sentence(name: str, text: str) -> None:
    with contextlib.suppress(OhmnasError):
        value = DESIGNS.genes.named(name).value(text)
        Bounds.of(DESIGNS.genes, {name: (value, value)})


def test_numbers_of_no_genome_are_refused() -> None:
    within = Bounds.everything(CellSpace((3, 32, 32), 10).genes)
    for number in (-1, within.size):
        with pytest.raises(InvalidValueError, match=r"genomes have numbers from 0 to 15,624, not"):
            within.nth(np.array([number]))
