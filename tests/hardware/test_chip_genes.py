"""Chips as genes: each row is a chip, each chip that can be varied is a row."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.hardware import HERMES, IDEAL, PRESETS, Hardware, hardware
from ohmnas.hardware import chip_genes as chips
from ohmnas.hardware.chip_genes import (
    CHIP_GENES,
    MOST_CHIPS,
    MOST_SETTINGS,
    TECH,
    Chips,
    chip_value,
    descriptions,
    drawn_for,
    every_chip,
    from_hardware,
    same_but_name,
    to_hardware,
)

TECHNOLOGIES = ("pcm", "hermes", "reram")
SIDES = (64, 128, 256, 512)
DAC_BITS = range(4, 9)
ADC_BITS = range(5, 10)
"""All that is varied, written down independently of the gene table."""

seeds = st.integers(0, 2**32 - 1)
matrices = st.lists(st.integers(0, MOST_CHIPS - 1), min_size=1, max_size=30).map(lambda rows: every_chip()[rows])


def rows_of(matrix: Chips) -> list[tuple[int, ...]]:
    return [tuple(row) for row in matrix.tolist()]


def test_every_chip_is_there_once_with_the_technologies_of_a_setting_side_by_side() -> None:
    every = every_chip()
    assert every.dtype == np.int16
    assert every.shape == (MOST_CHIPS, CHIP_GENES) == (3 * MOST_SETTINGS, 4)
    described = [(chip.technology, chip.tile_rows, chip.dac_bits, chip.adc_bits) for chip in to_hardware(every)]
    assert described == [
        (technology, *setting) for setting in product(SIDES, DAC_BITS, ADC_BITS) for technology in TECHNOLOGIES
    ]


def test_chips_become_genes_and_genes_the_same_chips() -> None:
    every = every_chip()
    made = to_hardware(every)
    assert len({chip.name for chip in made}) == MOST_CHIPS
    assert [hardware(chip.name) for chip in made] == made
    again, described = from_hardware(made)
    assert described.all()
    assert_array_equal(again, every)
    assert again.dtype == np.int16


def test_a_chip_is_the_preset_of_its_technology_with_its_own_tiles_and_converters() -> None:
    (chip,) = to_hardware(np.array([[1, 7, 6, 9]], dtype=np.int16))
    assert chip == replace(HERMES, name="hermes-t128-d6-a9", tile_rows=128, tile_columns=128, dac_bits=6, adc_bits=9)


def test_presets_are_chips_of_the_space_and_the_ideal_one_is_not() -> None:
    genes, described = from_hardware(PRESETS.values())
    assert dict(zip(PRESETS, described.tolist(), strict=True)) == {
        "pcm": True,
        "hermes": True,
        "reram": True,
        "ideal": False,
    }
    assert genes[:3].tolist() == [[0, 9, 8, 8], [1, 8, 8, 8], [2, 9, 8, 8]]


@pytest.mark.parametrize(
    "change",
    [
        {"tile_rows": 300},
        {"tile_rows": 256},
        {"tile_columns": 64},
        {"tile_rows": 32, "tile_columns": 32},
        {"tile_rows": 1024, "tile_columns": 1024},
        {"tile_rows": 1, "tile_columns": 1},
        {"dac_bits": 0},
        {"dac_bits": 9},
        {"adc_bits": 0},
        {"adc_bits": 4},
        {"g_max": 24.0},
        {"adc_bound": 12.0},
        {"output_noise": 0.0},
        {"drift": 0.5},
        {"drift_compensation": False},
        {"technology": "reram"},
    ],
)
def test_genes_do_not_describe_a_chip_with_other_settings(change: dict[str, Any]) -> None:
    genes, described = from_hardware([replace(Hardware(), **change), Hardware()])
    assert described.tolist() == [False, True]
    assert (genes >= chips.LOW).all()
    assert (genes <= chips.HIGH).all()


@given(
    st.builds(
        replace,
        st.sampled_from([PRESETS[technology] for technology in TECHNOLOGIES]),
        name=st.sampled_from(["mine", "pcm", "pcm-t256-d8-a7"]),
        tile_rows=st.sampled_from([1, 63, 64, 256, 300, 512, 4096]),
        tile_columns=st.sampled_from([64, 256, 512]),
        dac_bits=st.sampled_from([0, 2, 4, 8, 16]),
        adc_bits=st.sampled_from([0, 4, 5, 9, 10]),
    )
)
def test_genes_describe_a_chip_if_they_lead_back_to_it(chip: Hardware) -> None:
    genes, described = from_hardware([chip])
    (back,) = to_hardware(genes)
    assert described.tolist() == [same_but_name(back, chip)]
    assert described.tolist() == [replace(back, name=chip.name) == chip]


def test_without_chips_there_are_no_rows() -> None:
    genes, described = from_hardware([])
    assert genes.shape == (0, CHIP_GENES)
    assert described.shape == (0,)
    assert to_hardware(genes) == []
    assert {values.shape for values in descriptions(genes).values()} == {(0,)}


def test_chips_with_other_names_are_the_same() -> None:
    assert same_but_name(Hardware(), Hardware(name="mine"))
    assert not same_but_name(Hardware(), Hardware(technology="reram"))
    assert not same_but_name(Hardware(), Hardware(adc_bits=7))
    assert not same_but_name(Hardware(), IDEAL)


def test_descriptions_are_those_of_each_chip() -> None:
    every = every_chip()
    found = descriptions(every)
    expected = [chip.description() for chip in to_hardware(every)]
    assert found.keys() == expected[0].keys()
    for name, values in found.items():
        assert values.dtype == np.float64
        assert values.tolist() == [chip[name] for chip in expected], name


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("TECH", "pcm", 0),
        ("TECH", "hermes", 1),
        ("TECH", "reram", 2),
        ("TILE", "64", 6),
        ("TILE", "512", 9),
        ("DAC", "4", 4),
        ("ADC", "9", 9),
    ],
)
def test_values_are_read_as_people_write_them(name: str, text: str, value: int) -> None:
    assert chip_value(name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("TECH", "ideal", "unknown technology 'ideal': choose pcm, hermes, reram"),
        ("TECH", "0", "unknown technology '0'"),
        ("TILE", "8", "TILE must be one of 64, 128, 256, 512, not 8"),
        ("TILE", "1024", "TILE must be one of 64, 128, 256, 512, not 1024"),
        ("TILE", "large", "TILE must be a whole number, not 'large'"),
        ("ADC", "-1", "ADC must be a whole number, not '-1'"),
        ("DAC", "7.5", "DAC must be a whole number"),
        ("DAC", "", "DAC must be a whole number"),
        ("ADC", "9" * 5000, "ADC must be a whole number"),
    ],
)
def test_invalid_values_are_refused(name: str, text: str, message: str) -> None:
    with pytest.raises((InvalidValueError, UnknownNameError), match=message):
        chip_value(name, text)


@given(matrices, seeds)
def test_a_mutation_is_one_step_to_another_chip(matrix: Chips, seed: int) -> None:
    matrix.setflags(write=False)
    mutants = chips.mutate(matrix, np.random.default_rng(seed))
    assert mutants.dtype == np.int16
    assert ((mutants != matrix).sum(axis=1) == 1).all()
    for before, after in zip(matrix, mutants, strict=True):
        assert tuple(after.tolist()) in rows_of(chips.neighbours(before))
    assert_array_equal(chips.mutate(matrix, np.random.default_rng(seed)), mutants)


@pytest.mark.parametrize("chip", [[0, 6, 4, 5], [1, 8, 8, 7], [2, 9, 8, 9]])
def test_mutations_lead_to_all_neighbours_and_each_gene_moves_equally_often(
    chip: list[int], rng: np.random.Generator
) -> None:
    row = np.array(chip, dtype=np.int16)
    mutants = chips.mutate(np.tile(row, (4000, 1)), rng)
    assert set(rows_of(mutants)) == set(rows_of(chips.neighbours(row)))
    moved = (mutants != row).mean(axis=0)
    assert (np.abs(moved - 1 / CHIP_GENES) < 0.04).all()


def test_no_chips_have_no_mutants(rng: np.random.Generator) -> None:
    assert chips.mutate(every_chip()[:0], rng).shape == (0, CHIP_GENES)


def test_neighbours_are_one_step_away_and_know_each_other() -> None:
    near = {tuple(row.tolist()): set(rows_of(chips.neighbours(row))) for row in every_chip()}
    assert {chip for others in near.values() for chip in others} == near.keys()
    for chip, others in near.items():
        assert len(others) == len(chips.neighbours(np.array(chip, dtype=np.int16)))
        for other in others:
            steps = [abs(a - b) for a, b in zip(chip, other, strict=True)]
            assert sum(step > 0 for step in steps) == 1
            assert steps[TECH] or sum(steps) == 1
            assert chip in near[other]


def test_the_smallest_and_a_middle_chip_have_so_many_neighbours() -> None:
    assert len(chips.neighbours(np.array([0, 6, 4, 5], dtype=np.int16))) == 2 + 1 + 1 + 1
    assert len(chips.neighbours(np.array([1, 7, 6, 7], dtype=np.int16))) == 2 + 2 + 2 + 2


@given(st.integers(0, 1000), st.integers(1, MOST_SETTINGS))
def test_a_network_is_drawn_different_settings_each_in_all_technologies(position: int, times: int) -> None:
    drawn = drawn_for(position, times)
    assert drawn.dtype == np.int16
    assert drawn.shape == (3 * times, CHIP_GENES)
    assert len(np.unique(drawn, axis=0)) == len(drawn)
    assert set(rows_of(drawn)) <= set(rows_of(every_chip()))
    by_setting = drawn.reshape(times, 3, CHIP_GENES)
    assert (by_setting[:, :, TECH] == [0, 1, 2]).all()
    assert (by_setting[:, :, 1:] == by_setting[:, :1, 1:]).all()
    assert len({tuple(row[1:]) for row in drawn.tolist()}) == times
    assert_array_equal(drawn_for(position, times), drawn)


def tally(networks: int, times: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """How often each setting was drawn so far, for each number of networks: ``(networks, settings)``."""
    number = {row: place for place, row in enumerate(rows_of(every_chip()[::3]))}
    drawn = np.zeros((networks, MOST_SETTINGS), dtype=np.int64)
    for position in range(networks):
        for row in rows_of(drawn_for(position, times)[::3]):
            drawn[position, number[row]] += 1
    return drawn.cumsum(axis=0)


@given(st.integers(1, MOST_SETTINGS))
@settings(max_examples=10)
def test_after_each_hundred_networks_all_settings_came_up_equally_often(times: int) -> None:
    drawn = tally(200, times)
    assert (drawn[99] == times).all()
    assert (drawn[199] == 2 * times).all()


@pytest.mark.parametrize("times", [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 30, 60])
def test_on_the_way_no_setting_is_more_than_one_network_ahead_of_another(times: int) -> None:
    assert np.ptp(tally(100, times), axis=1).max() <= 1


def test_settings_take_turns_in_another_order_after_each_hundred_networks() -> None:
    first, second = ([rows_of(drawn_for(start + place, 1)) for place in range(100)] for start in (0, 100))
    assert Counter(map(tuple, first)) == Counter(map(tuple, second))
    assert first != second


def test_neighbours_in_a_plan_are_not_neighbours_among_chips() -> None:
    """A plan goes by blocks of sizes: settings that follow an order would go with the sizes of the networks."""
    firsts = [drawn_for(place, 1)[0] for place in range(100)]
    steps = [np.abs(one[1:] - other[1:]).sum() for one, other in pairwise(firsts)]
    assert np.mean(steps) > 3


def test_more_settings_than_there_are_cannot_be_drawn() -> None:
    assert len(np.unique(drawn_for(7, MOST_SETTINGS), axis=0)) == MOST_CHIPS
    with pytest.raises(InvalidValueError, match="settings of tiles and converters must be 1 to 100, not 101"):
        drawn_for(0, MOST_SETTINGS + 1)
